*** Settings ***
Documentation       A hung app is reset by its watchdog; one that is alive is not.
Resource            board.resource
Suite Setup         Provide The Watchdog
Test Setup          Requires    watchdog
Test Teardown       Reset Emulation
Test Tags           watchdog


*** Test Cases ***
A Watchdog That Is Fed Does Not Bite
    Test If Uart Is Idle    60
    Board Should Not Have Been Reset
    The Board Serves

A Handler That Waits Does Not Starve The Watchdog
    Open WebSocket    /echo
    Send Text    wait
    Expect Message    wait
    Board Should Not Have Been Reset

A Hung App Is Reset
    Open WebSocket    /echo
    Send Text    hang
    Wait For Line On Uart    Task watchdog got triggered    timeout=30
    The App Comes Up
    Send Ping
    Expect End

After A Watchdog's Reset The App Knows The Cause
    Open WebSocket    /echo
    Send Text    hang
    Wait For Line On Uart    Task watchdog got triggered    timeout=30
    The App Comes Up
    ${answer} =    Get JSON    /cause
    Should Be Equal As Integers    ${answer}[cause]    ${answer}[watchdog]

After A Watchdog's Reset New Clients Are Served
    Open WebSocket    /echo
    Send Text    hang
    Wait For Line On Uart    Task watchdog got triggered    timeout=30
    The App Comes Up
    Open WebSocket    /echo    name=new
    Send Text    better now?    name=new
    Expect Message    better now?    name=new

A Hung App Bites Again After The Reset
    FOR    ${number}    IN RANGE    2
        Open WebSocket    /echo    name=client ${number}
        Send Text    hang    name=client ${number}
        Wait For Line On Uart    Task watchdog got triggered    timeout=30
        The App Comes Up
    END


*** Keywords ***
Provide The Watchdog
    [Documentation]    The guarded app, booted.
    A Board With The App    watchdog
    Provides    watchdog
