*** Settings ***
Documentation       Pings are answered, pongs are dropped, whatever else goes on (RFC 6455, 5.5).
Resource            board.resource
Test Setup          A WebSocket To The Board
Test Teardown       Reset Emulation
Test Tags           websocket    ping


*** Test Cases ***
A Ping Without Payload Is Answered
    [Template]    A Ping Is Answered
    0

A Ping Of 1 Byte Is Answered
    [Template]    A Ping Is Answered
    1

A Ping Of 2 Bytes Is Answered
    [Template]    A Ping Is Answered
    2

A Ping Of 4 Bytes Is Answered
    [Template]    A Ping Is Answered
    4

A Ping Of 63 Bytes Is Answered
    [Template]    A Ping Is Answered
    63

A Ping Of 124 Bytes Is Answered
    [Template]    A Ping Is Answered
    124

A Ping Of 125 Bytes Is Answered
    [Template]    A Ping Is Answered
    125

A Ping Of 126 Bytes Is A Protocol Error
    Send Frame    ping    ${{bytes(126)}}
    Expect Close    1002

A Fragmented Ping Is A Protocol Error
    Send Frame    ping    fin=0
    Expect Close    1002

A Ping Without A Mask Is A Protocol Error
    Send Frame    ping    mask=0
    Expect Close    1002

The App Does Not See A Ping
    Send Ping    ${{b'not for the app'}}
    Send Text    for the app
    Expect Frame    pong    ${{b'not for the app'}}
    Expect Frame    text    ${{b'for the app'}}

A Flood Of Pings Is Answered In Order
    FOR    ${number}    IN RANGE    200
        Send Ping    ${{str($number).encode()}}
    END
    FOR    ${number}    IN RANGE    200
        Expect Pong    ${{str($number).encode()}}
    END
    The Board Serves

Pings Between Messages Keep Their Places
    FOR    ${number}    IN RANGE    20
        Send Text    ${number}
        Send Ping    ${{str($number).encode()}}
    END
    FOR    ${number}    IN RANGE    20
        Expect Frame    text    ${{str($number).encode()}}
        Expect Frame    pong    ${{str($number).encode()}}
    END

A Ping While The Board Sends A Long Message Is Answered Behind It
    [Setup]    A Board With The App    endings
    Open WebSocket    /big/40000    window=4000
    Send Text    now
    Send Ping    ${{b'are you busy?'}}
    Expect Frame    binary    ${{bytes(40000)}}
    Expect Frame    pong    ${{b'are you busy?'}}

A Ping Behind Half A Message Waits For The Other Half
    Send Bytes    ${{b'\x81\x86\0\0\0\0hal'}}
    Wait Until Sent
    Send Bytes    ${{b'ves\x89\x81\0\0\0\0p'}}
    Expect Frame    text    ${{b'halves'}}
    Expect Frame    pong    ${{b'p'}}

A Ping And A Close In One Segment Are Both Answered
    Send Bytes    ${{b'\x89\x81\0\0\0\0p\x88\x82\0\0\0\0\x03\xe8'}}
    Expect Frame    pong    ${{b'p'}}
    Expect Close    1000    answer=False

A Pong That Nobody Asked For Is Dropped
    Send Pong    ${{b'unasked'}}
    Send Text    still here
    Expect Frame    text    ${{b'still here'}}

A Flood Of Pongs Is Dropped
    FOR    ${_}    IN RANGE    200
        Send Pong    ${{bytes(125)}}
    END
    Send Text    still here
    Expect Frame    text    ${{b'still here'}}

A Pong Of 126 Bytes Is A Protocol Error
    Send Frame    pong    ${{bytes(126)}}
    Expect Close    1002

A Silent Client Stays Connected
    Expect Silence    120
    Send Text    good morning
    Expect Message    good morning

The Limit Of Messages Does Not Hold For Pings
    [Setup]    A Board With The App    limits
    Get    /limit/10
    Open WebSocket    /echo
    Send Ping    ${{b'p' * 125}}
    Expect Pong    ${{b'p' * 125}}


*** Keywords ***
A WebSocket To The Board
    [Documentation]    Of the camera app's echo.
    A Board That Echoes
    Open WebSocket    /echo

A Ping Is Answered
    [Documentation]    With the same payload.
    [Arguments]    ${size}
    Send Ping    ${{bytes(range(int($size)))}}
    Expect Pong    ${{bytes(range(int($size)))}}
