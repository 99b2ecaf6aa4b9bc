*** Settings ***
Documentation       Wrong network settings: the board says what is wrong, and gets over it.
Resource            board.resource
Test Teardown       Reset Emulation
Test Tags           network


*** Test Cases ***
Nobody Gives Out Addresses
    A Board That Boots
    Stop DHCP
    Wait For Line On Uart    lab: error: no address from DHCP    timeout=60
    Wait For Prompt On Uart    >>>

An Address Comes Late
    A Board That Boots
    Stop DHCP
    Should Not Be On Uart    lab: http on    timeout=8
    Start DHCP
    The App Comes Up
    The Board Serves

The Board Says Which Address It Has
    A Board That Boots
    ${line} =    Wait For Line On Uart    lab: http on (.*):80    treatAsRegex=True    timeout=60
    Should Be Equal    ${line.Groups}[0]    10.0.2.15
    ${leases} =    Leases Given
    Should Be Equal As Integers    ${leases}    1

Every Boot Asks For An Address
    A Board That Boots
    The App Comes Up
    Power Cycle
    The App Comes Up
    ${leases} =    Leases Given
    Should Be Equal As Integers    ${leases}    2

A Static Address In The Wrong Network Is Out Of Reach
    [Tags]    lab-network
    A Board That Waits For Its Settings
    Set Address    192.168.7.7    255.255.255.0    192.168.7.1
    Start The App
    Run Keyword And Expect Error    *did not answer a SYN*    Open WebSocket    /echo    timeout=10

A Static Address In The Right Network Is Reached
    [Tags]    lab-network
    A Board That Waits For Its Settings
    Set Address    10.0.2.15    255.255.255.0    10.0.2.2
    Start The App
    The Board Serves

A Wrong Gateway Does Not Matter For Neighbours
    [Tags]    lab-network
    A Board That Waits For Its Settings
    Set Address    10.0.2.15    255.255.255.0    10.0.2.77
    Start The App
    The Board Serves

A Taken Port Is Named
    A Board That Waits For Its Settings
    Run On Board
    ...    import net, socket
    ...    net.connect()
    ...    taken = socket.socket()
    ...    taken.bind(('0.0.0.0', 80))
    ...    taken.listen(1)
    Write Line To Uart    import app; app.serve()    waitForEcho=False
    Wait For Line On Uart    EADDRINUSE
    Wait For Prompt On Uart    >>>


*** Keywords ***
A Board That Boots
    [Documentation]    From power-on, with the camera app.
    Create Machine    app=camera
    Create Terminal Tester    sysbus.uart0

A Board That Waits For Its Settings
    [Documentation]    At the REPL, with the camera app, which does not start by itself.
    Create Machine    app=camera    files=${{ {'main.py': b''} }}
    Create Terminal Tester    sysbus.uart0
    Wait For Prompt On Uart    >>>

Set Address
    [Documentation]    By hand instead of by DHCP.
    [Arguments]    ${address}    ${mask}    ${gateway}
    Run On Board
    ...    import net
    ...    lan = net._interface()
    ...    lan.ifconfig(('${address}', '${mask}', '${gateway}', '${gateway}'))
    ...    while not lan.isconnected(): pass

Start The App
    [Documentation]    And wait until it serves.
    Write Line To Uart    import app; app.serve(ready=lambda: print('lab: ' + 'up'))
    Wait For Line On Uart    lab: up
