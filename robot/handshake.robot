*** Settings ***
Documentation       From HTTP to a WebSocket (RFC 6455, section 4), or a refusal that says why.
Resource            board.resource
Test Setup          A Board That Echoes
Test Teardown       Reset Emulation
Test Tags           websocket    handshake


*** Test Cases ***
The Answer Proves That The Key Was Read
    ${answer} =    Request Upgrade    Sec-WebSocket-Key=dGhlIHNhbXBsZSBub25jZQ==
    Should Be Equal As Integers    ${answer.status}    101
    Should Be Equal    ${answer.headers}[sec-websocket-accept]    ${{'s3pPLMBiTxaQ9kYGzzhZRbK+xOo='}}
    Should Be Equal    ${answer.headers}[upgrade]    websocket    ignore_case=True
    Should Be Equal    ${answer.headers}[connection]    Upgrade    ignore_case=True

No Extension And No Subprotocol Is Promised
    ${answer} =    Request Upgrade
    ...    Sec-WebSocket-Extensions=permessage-deflate
    ...    Sec-WebSocket-Protocol=chat
    Should Be Equal As Integers    ${answer.status}    101
    Should Not Contain    ${answer.headers}    sec-websocket-extensions
    Should Not Contain    ${answer.headers}    sec-websocket-protocol

A Frame Behind The Request Is Not Lost
    Open WebSocket    /echo    send_along=${{b'\x81\x85\0\0\0\0early'}}
    Expect Message    early

Half A Frame Behind The Request Is Not Lost
    Open WebSocket    /echo    send_along=${{b'\x81\x85\0\0\0\0ea'}}
    Send Bytes    ${{b'rly'}}
    Expect Message    early

A Close Behind The Request Is Answered
    Open WebSocket    /echo    send_along=${{b'\x88\x82\0\0\0\0\x03\xe9'}}
    Expect Close    1001    answer=False

The Server Lives On After A Refusal
    ${answer} =    Request Upgrade    Sec-WebSocket-Key=short
    Should Be Equal As Integers    ${answer.status}    400
    The Board Serves

An Upgrade That Needs A Permission
    [Setup]    A Board With The App    endings
    ${answer} =    Request Upgrade    /private
    Should Be Equal As Integers    ${answer.status}    401
    ${answer} =    Request Upgrade    /private    Authorization=let me in
    Should Be Equal As Integers    ${answer.status}    101

Upgrade In Capitals Is Accepted
    [Template]    Is Answered With
    101    Upgrade=WEBSOCKET

Connection With More Than Upgrade Is Accepted
    [Template]    Is Answered With
    101    Connection=keep-alive, Upgrade

Connection In Small Letters Is Accepted
    [Template]    Is Answered With
    101    Connection=upgrade

An Upgrade List That Contains WebSocket Is Accepted
    [Template]    Is Answered With
    101    Upgrade=h2c, websocket

An Origin Of Any Kind Is Accepted
    [Template]    Is Answered With
    101    Origin=null

No Upgrade Header Is Refused
    [Template]    Is Answered With
    400    Upgrade=none

Another Upgrade Is Refused
    [Template]    Is Answered With
    400    Upgrade=h2c

No Connection Header Is Refused
    [Template]    Is Answered With
    400    Connection=none

Connection Without Upgrade Is Refused
    [Template]    Is Answered With
    400    Connection=keep-alive

No Key Is Refused
    [Template]    Is Answered With
    400    Sec-WebSocket-Key=none

A Short Key Is Refused
    [Template]    Is Answered With
    400    Sec-WebSocket-Key=c2hvcnQ=

A Long Key Is Refused
    [Template]    Is Answered With
    400    Sec-WebSocket-Key=dGhpcyBrZXkgaXMgdG9vIGxvbmc=

A Key That Is No Base64 Is Refused
    [Template]    Is Answered With
    400    Sec-WebSocket-Key=!!!!!!!!!!!!!!!!!!!!!!==

An Old HTTP Version Is Refused
    [Template]    Is Answered With
    400    _request=GET /echo HTTP/1.0

A POST Is Refused
    [Template]    Is Answered With
    405    _request=POST /echo HTTP/1.1

A WebSocket On A Path That Is None Is Refused
    [Template]    Is Answered With
    404    _request=GET /nothing HTTP/1.1

Version 8 Is Told That 13 Is Spoken
    [Template]    Is Told The Version
    Sec-WebSocket-Version=8

Version 14 Is Told That 13 Is Spoken
    [Template]    Is Told The Version
    Sec-WebSocket-Version=14

No Version Is Told That 13 Is Spoken
    [Template]    Is Told The Version
    Sec-WebSocket-Version=none


*** Keywords ***
Is Answered With
    [Documentation]    One header is replaced; the status of the answer.
    [Arguments]    ${status}    &{headers}
    ${answer} =    Request Upgrade    &{headers}
    Should Be Equal As Integers    ${answer.status}    ${status}

Is Told The Version
    [Documentation]    Status 426 and the version that is spoken (RFC 6455, 4.4).
    [Arguments]    &{headers}
    ${answer} =    Request Upgrade    &{headers}
    Should Be Equal As Integers    ${answer.status}    426
    Should Be Equal    ${answer.headers}[sec-websocket-version]    13
