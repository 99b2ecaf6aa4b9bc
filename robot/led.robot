*** Settings ***
Documentation       The LED of the board follows what a browser says.
Resource            board.resource
Test Setup          A Viewer
Test Teardown       Reset Emulation
Test Tags           gpio


*** Test Cases ***
The LED Is Off At First
    Create LED Tester    sysbus.gpio.led
    Assert LED State    False
    Gpio Should Be    2    low

The LED Goes On And Off
    Send Text    {"led": true}
    Wait For Gpio    2    high
    Assert LED State    True
    Send Text    {"led": false}
    Wait For Gpio    2    low
    Assert LED State    False    timeout=1

Everybody Hears Of The LED
    Open WebSocket    /camera    name=other
    Send Text    {"led": true}
    ${text} =    Next Text
    Should Be Equal    ${text}    {"led": true}
    ${text} =    Next Text    name=other
    Should Be Equal    ${text}    {"led": true}

The Status Tells Of The LED
    Send Text    {"led": true}
    Wait For Gpio    2    high
    ${status} =    Get JSON    /status
    Should Be True    ${status}[led]

The LED Stays When The Browser Goes
    Send Text    {"led": true}
    Wait For Gpio    2    high
    Abort WebSocket
    Execute Command    emulation RunFor "5"
    Gpio Should Be    2    high

A Power Cycle Puts The LED Out
    Send Text    {"led": true}
    Wait For Gpio    2    high
    Power Cycle
    Wait For Gpio    2    low
    The App Comes Up
    Gpio Should Be    2    low

A Board Without Power Lights Nothing
    Send Text    {"led": true}
    Wait For Gpio    2    high
    Power Off
    Gpio Should Be    2    low

The LED Blinks As Fast As It Is Told
    FOR    ${_}    IN RANGE    10
        Send Text    {"led": true}
        Wait For Gpio    2    high
        Send Text    {"led": false}
        Wait For Gpio    2    low
    END


*** Keywords ***
A Viewer
    [Documentation]    A WebSocket that takes commands.
    A Board That Serves
    Open WebSocket    /camera
