"""One native dialog: what it reports becomes a leg's events, what a leg orders becomes SIP. Engine thread only."""

from __future__ import annotations

import contextlib
from typing import Any, Protocol

from dialer.engines import _sip_text as text
from dialer.engines._exchange import Exchange
from dialer.engines._sip_leg import Dialog, SipLeg
from dialer.engines.pjsua2.native import explained, guarded, pj
from dialer.engines.pjsua2.ports import Port, Ports
from dialer.legs import Answered, Dial, Digit, Ended, EndedBy, LegEvent, Ringing, Trying

_IS_UPDATE = 1
"""PJMEDIA_STREAM_DTMF_IS_UPDATE, which the binding leaves out."""


class Surroundings(Protocol):
    """What a call needs of the engine thread."""

    exchange: Exchange
    ports: Ports

    def keep(self, call: Call) -> None:
        """Hold a call until it is buried."""

    def bury(self, call: Call) -> None:
        """Drop a call one turn later, outside its own callback."""

    def offer_codecs(self, codecs: tuple[str, ...]) -> None:
        """Choose the codecs of the next offer or answer."""


class Call(pj.Call):  # type: ignore[misc]
    """Implements :class:`dialer.engines._sip_leg.Dialog`."""

    def __init__(self, engine: Surroundings, account: pj.Account, leg: SipLeg, call_id: int | None = None) -> None:
        super().__init__(account, pj.PJSUA_INVALID_ID if call_id is None else call_id)
        self.account, self.leg = account, leg
        self.incoming = call_id is not None
        self.confirmed = self.ours = self.over = False
        self.codecs: tuple[str, ...] = ()
        self.follow_redirects = False
        self.port: Port | None = None
        self.partner: Call | None = None
        self._engine = engine
        self._media = -1
        leg.dialog = self
        engine.keep(self)

    def _tell(self, event: LegEvent) -> None:
        self._engine.exchange.post(self.leg.emit, event)

    # What the library reports.

    @guarded
    def onCallState(self, prm: Any) -> None:  # noqa: N802
        """The dialog moved on."""
        if self.over:
            return
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_CALLING:
            self._tell(Trying())
        elif info.state == pj.PJSIP_INV_STATE_CONFIRMED and not self.confirmed:
            self.confirmed = True
            self.leg.track.talking = self.leg.track.taping = True
            self._tell(Answered(codec=self._codec()))
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.close(self._ending(info, prm.e))

    @guarded
    def onCallTsxState(self, prm: Any) -> None:  # noqa: N802
        """A provisional response to our INVITE came."""
        event = prm.e.body.tsxState
        tsx = event.tsx
        ours = tsx.method == "INVITE" and tsx.role == pj.PJSIP_ROLE_UAC and not self.confirmed
        if ours and event.type == pj.PJSIP_EVENT_RX_MSG and 100 < tsx.statusCode < 200:
            self._tell(Ringing(code=tsx.statusCode, early_media=text.has_sdp(event.src.rdata.wholeMsg)))

    @guarded
    def onCallMediaState(self, prm: Any) -> None:  # noqa: N802
        """Media came up, early or not, or was renegotiated."""
        usable = (pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD)
        info = self.getInfo()
        for index, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status in usable and not self.over:
                self._media = index
                self._connect_port()
                return

    def _connect_port(self) -> None:
        if self.port is None:
            self.port = self._engine.ports.take(self.leg.track)
        audio = self.getAudioMedia(self._media)
        audio.startTransmit(self.port)
        self.port.startTransmit(audio)
        if self.partner is not None:
            self.connect(self.partner)
        if self.incoming:
            self.leg.track.talking = True

    @guarded
    def onDtmfEvent(self, prm: Any) -> None:  # noqa: N802
        """A key, reported once a packet: those after the first of a key are updates (RFC 4733 §2.5.1.3)."""
        if not prm.flags & _IS_UPDATE:
            info = prm.method == pj.PJSUA_DTMF_METHOD_SIP_INFO
            self._tell(Digit(digit=prm.digit, method="info" if info else "rfc4733"))

    def onCallRedirected(self, prm: Any) -> int:  # noqa: N802
        """A redirect is followed only where the trunk says so: it may lead anywhere, at our cost."""
        return int(pj.PJSIP_REDIRECT_ACCEPT if self.follow_redirects else pj.PJSIP_REDIRECT_STOP)

    @guarded
    def onCallTransferRequest(self, prm: Any) -> None:  # noqa: N802
        """Nobody we ring may make us ring others (REFER, RFC 3515)."""
        prm.statusCode = 603

    @guarded
    def onCallReplaceRequest(self, prm: Any) -> None:  # noqa: N802
        """Nor take a call over (Replaces, RFC 3891)."""
        prm.statusCode = 603

    # What it means.

    def _codec(self) -> str:
        if self._media < 0:
            return ""
        with contextlib.suppress(pj.Error):
            return str(self.getStreamInfo(self._media).codecName)
        return ""

    def _ending(self, info: Any, event: Any) -> Ended:
        """Who ended it, told from the message that did: a final response, BYE or CANCEL, or none at all."""
        if self.ours:
            code = 0 if self.confirmed else info.lastStatusCode if self.incoming else 487
            return Ended(by=EndedBy.US, code=code)
        if self.incoming and not self.confirmed and info.lastStatusCode == 487:
            return Ended(by=EndedBy.PEER, code=487)  # CANCEL, whose own event is the 487 the library sent
        cause = event.body.tsxState
        if event.type != pj.PJSIP_EVENT_TSX_STATE or cause.type != pj.PJSIP_EVENT_RX_MSG:
            return Ended(by=EndedBy.NETWORK, code=info.lastStatusCode, reason=info.lastReason)
        message = cause.src.rdata.wholeMsg
        code, reason = (0, "") if self.confirmed else text.status_of(message) or (487, "")
        return Ended(by=EndedBy.PEER, code=code, reason=reason, headers=text.headers_of(message))

    def close(self, ending: Ended) -> None:
        """Once: tell the leg, and wait to be dropped."""
        if not self.over:
            self.over = True
            self.leg.track.talking = self.leg.track.taping = False
            self._tell(ending)
            self._engine.bury(self)

    # What the leg orders.

    def place(self, uri: str, dial: Dial, headers: dict[str, str]) -> None:
        """Send the INVITE."""
        self.follow_redirects = dial.trunk.follow_redirects
        param = pj.CallOpParam(True)
        param.opt.audioCount, param.opt.videoCount = 1, 0
        param.opt.customCallId = dial.call_id
        param.txOption.localUri = text.identity(dial.trunk)
        param.txOption.headers = _headers(headers)
        self.makeCall(uri, param)

    def respond(self, code: int) -> None:
        """Send a response below 300."""
        if self.over or self.ours or self.confirmed or not self.isActive():
            return
        self._engine.offer_codecs(self.codecs)
        param = pj.CallOpParam(True)
        param.statusCode = code
        with explained("answer the call"):
            self.answer(param)

    def finish(self, code: int, reason: str, headers: dict[str, str]) -> None:
        """Reject, cancel or hang up."""
        if self.over or self.ours or not self.isActive():
            return
        self.ours = True
        param = pj.CallOpParam(True)
        if self.incoming and not self.confirmed:
            param.statusCode, param.reason = code, reason
        elif reason:
            quoted = reason.replace("\\", "\\\\").replace('"', '\\"')
            headers = {**headers, "Reason": f'SIP ;cause={code or 200} ;text="{quoted}"'}  # RFC 3326
        param.txOption.headers = _headers(headers)
        with contextlib.suppress(pj.Error):  # it ended meanwhile
            self.hangup(param)

    def press(self, digits: str, method: str, duration_ms: int) -> None:
        """Send digits."""
        if self.over:
            return
        param = pj.CallSendDtmfParam()
        param.digits, param.duration = digits, duration_ms
        info = method == "info"
        param.method = pj.PJSUA_DTMF_METHOD_SIP_INFO if info else pj.PJSUA_DTMF_METHOD_RFC2833
        with explained("send digits"):
            self.sendDtmf(param)

    def connect(self, other: Dialog) -> None:
        """Bridge, now and after every renegotiation of either."""
        assert isinstance(other, Call)
        self.partner, other.partner = other, self
        if self._bridgeable(other):
            with explained("bridge two legs"):
                here, there = self.getAudioMedia(self._media), other.getAudioMedia(other._media)
                here.startTransmit(there)
                there.startTransmit(here)

    def disconnect(self) -> None:
        """Undo :meth:`connect`."""
        other, self.partner = self.partner, None
        if other is not None:
            other.partner = None
            if self._bridgeable(other):
                with explained("part two legs"):
                    here, there = self.getAudioMedia(self._media), other.getAudioMedia(other._media)
                    here.stopTransmit(there)
                    there.stopTransmit(here)

    def _bridgeable(self, other: Call) -> bool:
        return self._media >= 0 and other._media >= 0 and not self.over and not other.over

    # What the engine thread asks once in a while.

    def count_packets(self) -> None:
        """Refresh the leg's packet counter."""
        if self._media >= 0 and not self.over:
            with contextlib.suppress(pj.Error):
                statistics = self.getStreamStat(self._media)
                self.leg.packets = int(statistics.rtcp.rxStat.pkt)

    def let_go(self) -> None:
        """Drop every reference this call holds or that holds it, but the engine thread's own."""
        if self.port is not None:
            self._engine.ports.give(self.port)
            self.port = None
        if self.partner is not None:
            self.partner.partner = None
            self.partner = None
        if self.leg.dialog is self:
            self.leg.dialog = None


def _headers(headers: dict[str, str]) -> Any:
    vector = pj.SipHeaderVector()
    for name, value in headers.items():
        header = pj.SipHeader()
        header.hName, header.hValue = name, value
        vector.push_back(header)
    return vector
