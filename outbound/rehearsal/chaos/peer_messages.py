"""The SIP messages that the peer of a chaos run sends, built from those it got (RFC 3261). It sends none itself."""

from __future__ import annotations

from sipmessage import Request, Response

PHRASES = {
    180: "Ringing",
    200: "OK",
    404: "Not Found",
    405: "Method Not Allowed",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    503: "Service Unavailable",
    603: "Decline",
}
Endpoint = tuple[str, int]


def respond(request: Request, code: int, *, tag: str = "", contact: str = "", body: bytes = b"") -> bytes:
    """Build a response to ``request`` (RFC 3261 §8.2.6)."""
    response = Response(code, PHRASES[code])
    response.headers.setlist("Via", [str(via) for via in request.via])
    for name in ("From", "To", "Call-ID", "CSeq"):
        response.headers.set(name, request.headers[name])
    if tag and ";tag=" not in request.headers["To"]:
        response.headers.set("To", f"{request.headers['To']};tag={tag}")
    if contact:
        response.headers.set("Contact", contact)
    if body:
        response.headers.set("Content-Type", "application/sdp")
        response.body = body
    response.headers.set("Content-Length", str(len(body)))
    return bytes(response)


def hang_up(invite: Request, own: Endpoint, *, tag: str, branch: str) -> bytes:
    """Build our BYE: From and To change places (RFC 3261 §12.2.1.1)."""
    bye = Request("BYE", invite.contact[0].uri)
    bye.headers.set("Via", f"SIP/2.0/UDP {own[0]}:{own[1]};rport;branch={branch}bye")
    bye.headers.set("From", f"{invite.headers['To']};tag={tag}")
    bye.headers.set("To", invite.headers["From"])
    bye.headers.set("Call-ID", invite.call_id)
    bye.headers.set("CSeq", "1 BYE")
    bye.headers.set("Max-Forwards", "70")
    bye.headers.set("Content-Length", "0")
    return bytes(bye)


def silence(own: Endpoint) -> bytes:
    """Answer PCMU and take no packets: nobody listens at the discard port (RFC 863)."""
    host = own[0]
    lines = ["v=0", f"o=peer 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0", "m=audio 9 RTP/AVP 0"]
    return "".join(f"{line}\r\n" for line in [*lines, "a=rtpmap:0 PCMU/8000"]).encode()
