"""What sipp plays where it is the bench's far end or its peer: scenarios, without sound; each is one short call.

The called side is busy (486) or answers and hangs up; the caller takes whatever comes (RFC 3261 §13, §15).
"""

from __future__ import annotations

_HEAD = '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="bench">\n'
_ANSWER_HEADERS = """\
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
"""
BUSY = f"""{_HEAD}
<recv request="INVITE"/>
<send><![CDATA[
SIP/2.0 486 Busy Here
{_ANSWER_HEADERS}Content-Length: 0

]]></send>
<recv request="ACK"/>
</scenario>
"""
ANSWERS = f"""{_HEAD}
<recv request="INVITE"><action>
  <ereg regexp="[^&lt;]*(.*)" search_in="hdr" header="From:" check_it="true" assign_to="1,2"/>
  <ereg regexp="sip:[^&gt;]*" search_in="hdr" header="Contact:" check_it="true" assign_to="3"/>
</action></recv>
<nop><action><log message="[$1]"/></action></nop>
<send retrans="500"><![CDATA[
SIP/2.0 200 OK
{_ANSWER_HEADERS}Contact: <sip:[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio 9 RTP/AVP 0
a=rtpmap:0 PCMU/8000
]]></send>
<recv request="ACK"/>
<send retrans="500"><![CDATA[
BYE [$3] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];rport;branch=[branch]
From: <sip:bench@[local_ip]:[local_port]>;tag=[call_number]
To: [$2]
[last_Call-ID:]
CSeq: 1 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"/>
</scenario>
"""
FAR_ENDS = {"everybody busy": BUSY, "answered and hung up": ANSWERS}
ENDS = {"everybody busy": "sip_486", "answered and hung up": "peer_bye"}
"""The hangup cause of each call."""
_CALLER_HEADERS = """\
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>"""
CALLER = f"""{_HEAD}
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];rport;branch=[branch]
{_CALLER_HEADERS}
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:sipp@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="200" optional="true" next="1"/>
<recv response="486"/>
<send next="2"><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
[last_Via:]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
<label id="1"/>
<send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];rport;branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv request="BYE"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
<label id="2"/>
</scenario>
"""
