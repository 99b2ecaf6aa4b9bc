*** Settings ***
Documentation       Real programs of this machine, through the gateway and in real time.
Resource            board.resource
Test Setup          Requires    serving    network=gateway
Test Teardown       Reset Emulation
Test Tags           websocket    gateway


*** Test Cases ***
Text Comes Back Through The Gateway
    Open WebSocket    /echo
    Send Text    hello
    Expect Message    hello

Binary Data Comes Back Through The Gateway
    Open WebSocket    /echo
    Send Binary    ${{bytes(range(256)) * 40}}
    Expect Message    ${{bytes(range(256)) * 40}}

A Ping Comes Back Through The Gateway
    Open WebSocket    /echo
    Send Ping    ${{b'from outside'}}
    Expect Pong    ${{b'from outside'}}

A Close Comes Back Through The Gateway
    Open WebSocket    /echo
    Close WebSocket    4000
    Expect Close    4000

A Protocol Error Reaches A Real Client
    Open WebSocket    /echo
    Send Frame    text    ${{b'hello'}}    mask=0
    Expect Close    1002

A Real Client May Reset
    Open WebSocket    /echo
    Abort WebSocket
    Open WebSocket    /echo    name=next
    Send Text    next    name=next
    Expect Message    next    name=next

The Page Is Served To A Real Browser
    ${page} =    Get    /
    Should Contain    ${page}    <title>ESP32 camera</title>

The Stream Reaches A Real Client
    Open WebSocket    /camera
    ${first} =    Next Picture
    ${second} =    Next Picture
    Picture Should Be Newer    ${second}    ${first}

The LED Follows A Real Client
    Open WebSocket    /camera
    Send Text    {"led": true}
    Wait For Gpio    2    high
