*** Settings ***
Documentation       Messages come back as they were sent, of every kind and length.
Resource            board.resource
Test Setup          A WebSocket To The Board
Test Teardown       Reset Emulation
Test Tags           websocket    echo


*** Test Cases ***
Text Comes Back
    Send Text    hello
    Expect Message    hello

Text In Many Scripts Comes Back
    Send Text    grüße, 世界, שלום 🚀
    Expect Message    grüße, 世界, שלום 🚀

The First And The Last Character Come Back
    Send Text    ${{'\0\U0010ffff'}}
    Expect Message    ${{'\0\U0010ffff'}}

An Empty Text Comes Back
    Send Text    ${EMPTY}
    Expect Message    ${EMPTY}

Binary Data Comes Back
    Send Binary    ${{bytes(range(256))}}
    Expect Message    ${{bytes(range(256))}}

An Empty Binary Message Comes Back
    Send Binary    ${{b''}}
    Expect Message    ${{b''}}

Text Stays Text And Binary Stays Binary
    Send Text    same
    Send Binary    ${{b'same'}}
    Expect Frame    text    ${{b'same'}}
    Expect Frame    binary    ${{b'same'}}

Many Messages Come Back In Order
    FOR    ${number}    IN RANGE    50
        Send Text    message ${number}
    END
    FOR    ${number}    IN RANGE    50
        Expect Message    message ${number}
    END

1 Byte Comes Back
    [Template]    So Many Bytes Come Back
    1

125 Bytes Come Back
    [Template]    So Many Bytes Come Back
    125

126 Bytes Come Back
    [Template]    So Many Bytes Come Back
    126

127 Bytes Come Back
    [Template]    So Many Bytes Come Back
    127

1459 Bytes Come Back
    [Template]    So Many Bytes Come Back
    1459

4096 Bytes Come Back
    [Template]    So Many Bytes Come Back
    4096

16384 Bytes Come Back
    [Template]    So Many Bytes Come Back
    16384

A Mask Of Zeros Is A Mask
    Send Frame    text    ${{b'plain'}}    key=${{bytes(4)}}
    Expect Message    plain

Byte By Byte Is The Same
    Send Slowly    ${{bytes(range(40))}}    chunk=1
    Expect Message    ${{bytes(range(40))}}

Two Frames In One Segment Are Two Messages
    Send Bytes    ${{b'\x81\x83\0\0\0\0one\x81\x83\0\0\0\0two'}}
    Expect Message    one
    Expect Message    two


*** Keywords ***
A WebSocket To The Board
    [Documentation]    Of the camera app's echo.
    A Board That Echoes
    Open WebSocket    /echo

So Many Bytes Come Back
    [Documentation]    As text and as binary data.
    [Arguments]    ${count}
    Send Text    ${{'x' * int($count)}}
    Expect Message    ${{'x' * int($count)}}
    Send Binary    ${{bytes(n % 251 for n in range(int($count)))}}
    Expect Message    ${{bytes(n % 251 for n in range(int($count)))}}
