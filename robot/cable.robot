*** Settings ***
Documentation       The cable is pulled and put back; or the network behind it dies unnoticed. The
...                 firmware gives its address up with the link, and all connections with it.
Resource            board.resource
Suite Setup         Provide The Endings
Test Setup          Requires    endings
Test Teardown       Reset Emulation
Test Tags           network    cable


*** Test Cases ***
A Pulled Cable Ends A Connection For The App
    Open WebSocket    /echo
    Pull Cable
    Execute Command    emulation RunFor "5"
    Plug Cable
    Wait For Line On Uart    lab: closed 1006

A Pulled Cable Ends A Connection For The Client
    Open WebSocket    /echo
    Pull Cable
    Execute Command    emulation RunFor "5"
    Plug Cable
    Send Text    still there?
    Expect End    timeout=60

New Clients Come In When The Cable Is Back
    Pull Cable
    Run Keyword And Expect Error    *did not answer a SYN*    Open WebSocket    /echo    timeout=5
    Plug Cable
    The Board Is Back

A Client That Knocks Without A Cable Gets In When It Is Back
    Pull Cable
    Execute Command    emulation RunFor "5"
    Plug Cable
    Open WebSocket    /echo    timeout=60
    Send Text    knock, knock
    Expect Message    knock, knock

The Cable Is Pulled Again And Again
    FOR    ${number}    IN RANGE    5
        Open WebSocket    /echo    timeout=60
        Send Text    ${number}
        Expect Message    ${{str($number)}}
        Pull Cable
        Execute Command    emulation RunFor "3"
        Plug Cable
    END
    The Board Is Back

A Stream Can Be Had Again When The Cable Is Back
    [Setup]    A Board That Serves
    Open WebSocket    /camera
    ${before} =    Next Picture
    Pull Cable
    Execute Command    emulation RunFor "3"
    Plug Cable
    Open WebSocket    /camera    name=again    timeout=60
    ${after} =    Next Picture    name=again
    Picture Should Be Newer    ${after}    ${before}

The Cable Is Pulled For A Minute
    Open WebSocket    /echo
    Pull Cable
    Execute Command    emulation RunFor "60"
    Plug Cable
    The Board Is Back

The Cable Is Pulled In The Middle Of A Message
    Open WebSocket    /echo
    Send Bytes    ${{b'\x81\x85\0\0\0\0ha'}}
    Wait Until Sent
    Pull Cable
    Execute Command    emulation RunFor "5"
    Wait For Line On Uart    lab: closed 1006
    Plug Cable
    The Board Is Back

The Cable Is Pulled While The Board Sends
    Open WebSocket    /flood/1000/1000
    ${message} =    Next Message
    Length Should Be    ${message}    1000
    Pull Cable
    Wait For Line On Uart    lab: closed 1006    timeout=60
    Plug Cable
    The Board Is Back

A Connection Outlives A Network That Dies Behind The Board's Back
    Open WebSocket    /echo
    Cut Network
    Send Text    anybody?
    Run Keyword And Expect Error    *nothing came*    Next Message    timeout=5
    Mend Network
    Expect Message    anybody?    timeout=60

A Long Message Outlives A Network That Dies In The Middle Of It
    Open WebSocket    /big/30000    window=3000
    Send Text    now
    Wait Until Sent
    Cut Network
    Execute Command    emulation RunFor "5"
    Mend Network
    Expect Message    ${{bytes(30000)}}    timeout=120

Half A Message Waits For A Network That Comes Back
    Open WebSocket    /echo
    Send Bytes    ${{b'\x81\x85\0\0\0\0ha'}}
    Wait Until Sent
    Cut Network
    Execute Command    emulation RunFor "10"
    Mend Network
    Send Bytes    ${{b'lf!'}}
    Expect Message    half!    timeout=60

A Board Without A Cable Says So And Works After A Reset
    [Setup]    Create Machine    app=camera
    Create Terminal Tester    sysbus.uart0
    Pull Cable
    Wait For Line On Uart    lab: error: no address    timeout=60
    Plug Cable
    Execute Command    machine Reset
    The App Comes Up
    Open WebSocket    /echo

A Cable That Is Plugged In Late Is In Time
    [Setup]    Create Machine    app=camera
    Create Terminal Tester    sysbus.uart0
    Pull Cable
    Should Not Be On Uart    lab: http on    timeout=5
    Plug Cable
    The App Comes Up
    Open WebSocket    /echo


*** Keywords ***
Provide The Endings
    [Documentation]    The app that ends in every way, booted.
    A Board With The App    endings
    Provides    endings

The Board Is Back
    [Documentation]    A new client gets its echo, as soon as the board has an address again.
    Open WebSocket    /echo    name=new    timeout=60
    Send Text    welcome back    name=new
    Expect Message    welcome back    name=new
    Board Should Not Have Been Reset
