*** Settings ***
Documentation       Several clients at once, and messages for all of them.
Resource            board.resource
Test Setup          A Board That Serves
Test Teardown       Reset Emulation
Test Tags           websocket    clients


*** Test Cases ***
Four Clients Get Their Own Echoes
    FOR    ${name}    IN    anna    ben    cleo    dan
        Open WebSocket    /echo    name=${name}
    END
    FOR    ${name}    IN    anna    ben    cleo    dan
        Send Text    I am ${name}    name=${name}
    END
    FOR    ${name}    IN    dan    anna    cleo    ben
        Expect Message    I am ${name}    name=${name}
    END

Eight Clients Get Their Own Echoes
    FOR    ${number}    IN RANGE    8
        Open WebSocket    /echo    name=client ${number}
    END
    FOR    ${number}    IN RANGE    8
        Send Text    I am ${number}    name=client ${number}
        Expect Message    I am ${number}    name=client ${number}
    END

A Ninth Client Is Served When One Leaves
    FOR    ${number}    IN RANGE    8
        Open WebSocket    /echo    name=client ${number}
    END
    Run Keyword And Expect Error    *nothing came*    Open WebSocket    /echo    name=ninth    timeout=5
    Close WebSocket    name=client 3
    Expect Close    1000    name=client 3
    Open WebSocket    /echo    name=ninth
    Send Text    at last    name=ninth
    Expect Message    at last    name=ninth

A Message For All Reaches All
    Open WebSocket    /camera    name=anna
    Open WebSocket    /camera    name=ben
    Open WebSocket    /camera    name=cleo
    Send Text    {"message": "dinner is ready"}    name=anna
    FOR    ${name}    IN    anna    ben    cleo
        Expect Answer    {"message": "dinner is ready", "clients": 3}    name=${name}
    END
    Wait For Line On Uart    lab: message: dinner is ready

Who Has Left Is Not Counted
    Open WebSocket    /camera    name=anna
    Open WebSocket    /camera    name=ben
    Close WebSocket    name=ben
    Expect Close    1000    name=ben    after_messages=True
    Send Text    {"message": "who is there?"}    name=anna
    Expect Answer    {"message": "who is there?", "clients": 1}    name=anna

Who Was Reset Is Not Counted
    Open WebSocket    /camera    name=anna
    Open WebSocket    /camera    name=ben
    Abort WebSocket    name=ben
    Execute Command    emulation RunFor "1"
    Send Text    {"message": "who is there?"}    name=anna
    Expect Answer    {"message": "who is there?", "clients": 1}    name=anna

A Client That Breaks The Protocol Disturbs Nobody
    Open WebSocket    /echo    name=good
    Open WebSocket    /echo    name=bad
    Send Frame    3    name=bad
    Expect Close    1002    name=bad
    Send Text    still here    name=good
    Expect Message    still here    name=good

A Client That Vanishes Disturbs Nobody
    Open WebSocket    /echo    name=good
    Open WebSocket    /echo    name=bad
    Send Binary    ${{bytes(16000)}}    name=bad
    Lose WebSocket    name=bad
    Send Text    still here    name=good
    Expect Message    still here    name=good
    The Board Serves

Clients Come And Go
    FOR    ${number}    IN RANGE    40
        Open WebSocket    /echo
        Send Text    visit ${number}
        Expect Message    visit ${number}
        Close WebSocket
        Expect Close    1000
    END
    The Board Serves

Clients That Are Cut Off Leave Nothing Behind
    ${before} =    Get JSON    /status
    FOR    ${_}    IN RANGE    20
        Open WebSocket    /echo
        Send Bytes    ${{b'\x82\xfe\x10'}}
        Wait Until Sent
        Abort WebSocket
    END
    The Board Serves
    ${after} =    Get JSON    /status
    Should Be Equal As Integers    ${after}[clients]    ${before}[clients]

Pages Are Served Beside WebSockets
    Open WebSocket    /echo
    ${page} =    Get    /
    Should Contain    ${page}    <title>ESP32 camera</title>
    ${status} =    Get JSON    /status
    Should Be Equal As Integers    ${status}[counters][websockets]    1
    Send Text    me too
    Expect Message    me too


*** Keywords ***
Expect Answer
    [Documentation]    The next text message of /camera, among the pictures, says this in JSON.
    [Arguments]    ${json}    ${name}
    ${text} =    Next Text    name=${name}
    Should Be Equal    ${{json.loads($text)}}    ${{json.loads($json)}}
