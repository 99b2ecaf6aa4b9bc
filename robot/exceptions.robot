*** Settings ***
Documentation       The app raises, or is broken: the console tells, and the board can be used.
Resource            board.resource
Test Teardown       Reset Emulation
Test Tags           exceptions


*** Test Cases ***
A Handler That Raises Answers 500
    A Board With The App    endings
    ${answer} =    Request    GET /http-raises HTTP/1.1    status=500
    Should Not Contain    ${{$answer.rest.decode()}}    Traceback
    Wait For Line On Uart    ValueError: on purpose
    ${answer} =    Get    /hello
    Should Be Equal    ${answer}    hello

Twenty Handlers That Raise Leave Nothing Behind
    A Board With The App    endings
    FOR    ${_}    IN RANGE    20
        Request    GET /http-raises HTTP/1.1    status=500
    END
    ${answer} =    Get    /hello
    Should Be Equal    ${answer}    hello
    Board Should Not Have Been Reset

Twenty WebSockets That Raise Leave Nothing Behind
    A Board With The App    endings
    FOR    ${_}    IN RANGE    20
        Open WebSocket    /raises
        Send Text    go
        Expect Close    1011
    END
    ${answer} =    Get    /hello
    Should Be Equal    ${answer}    hello
    Board Should Not Have Been Reset

A Handler That Raises Does Not Disturb Another
    A Board With The App    endings
    Open WebSocket    /echo    name=calm
    Open WebSocket    /raises    name=wild
    Send Text    go    name=wild
    Expect Close    1011    name=wild
    Send Text    still calm    name=calm
    Expect Message    still calm    name=calm

An App That Can't Be Imported Is Told
    Create Machine    app=broken
    Create Terminal Tester    sysbus.uart0
    Wait For Line On Uart    lab: error: no module named 'no_such_module'    timeout=60
    Wait For Prompt On Uart    >>>

A Missing App Is Told
    Create Machine    app=camera    without_files=${{['app.mpy']}}
    Create Terminal Tester    sysbus.uart0
    Wait For Line On Uart    lab: error: no module named 'app'    timeout=60
    Wait For Prompt On Uart    >>>

A Missing Page Is No End Of The App
    Create Machine    app=camera    without_files=${{['index.html']}}
    Create Terminal Tester    sysbus.uart0
    The App Comes Up
    Request    GET / HTTP/1.1    status=500
    Wait For Line On Uart    ENOENT
    Open WebSocket    /echo
    Send Text    I am well
    Expect Message    I am well

A Main Program With A Mistake Leaves The REPL
    Create Machine    app=camera    files=${{ {'main.py': b'def\n'} }}
    Create Terminal Tester    sysbus.uart0
    Wait For Line On Uart    SyntaxError    timeout=60
    Wait For Prompt On Uart    >>>

Ctrl-C Stops The App And Gives The REPL
    A Board That Serves
    Send Key To Uart    0x03
    Wait For Line On Uart    lab: stopped
    Wait For Prompt On Uart    >>>

The App Starts Again After Ctrl-D
    A Board That Serves
    Send Key To Uart    0x03
    Wait For Prompt On Uart    >>>
    Send Key To Uart    0x04
    Wait For Line On Uart    MPY: soft reboot
    The App Comes Up
    Open WebSocket    /echo
    Send Text    again
    Expect Message    again

A Panic Reboots The Board
    A Board With Its App Stopped
    Write Line To Uart    import machine; machine.mem32[0] = 1    waitForEcho=False
    Wait For Line On Uart    Guru Meditation Error
    The App Comes Up
    Open WebSocket    /echo
    Send Text    alive
    Expect Message    alive


*** Keywords ***
A Board With Its App Stopped
    [Documentation]    At the REPL.
    A Board That Serves
    Interrupt The App
