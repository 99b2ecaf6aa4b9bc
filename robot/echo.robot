*** Settings ***
Documentation       The board echoes over a WebSocket.
Resource            board.resource
Suite Setup         Board That Serves
Suite Teardown      Reset Emulation
Test Setup          Open A WebSocket To The Board
Test Tags           websocket


*** Test Cases ***
Echo Text
    Send Text    hello
    Expect Message    hello

Echo An Empty Message
    Send Text    ${EMPTY}
    Expect Message    ${EMPTY}

Echo Binary
    ${data} =    Evaluate    bytes(range(256))
    Send Binary    ${data}
    Expect Message    ${data}

Ping
    Send Ping    are you there

Close Is Echoed
    Close WebSocket    4000    done
    Expect Close    4000

A Message Over The Limit Ends With 1009
    ${big} =    Evaluate    'x' * 16385
    Send Text    ${big}
    Expect Close    1009

Echo After A Power Cycle
    Power Cycle
    Wait For Line On Uart    lab: http on
    Open A WebSocket To The Board
    Send Text    back again
    Expect Message    back again


*** Keywords ***
Open A WebSocket To The Board
    ${url} =    Echo Url
    Open WebSocket    ${url}
