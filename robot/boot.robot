*** Settings ***
Documentation       The board boots to its REPL, evaluates, and comes back after every reset.
Resource            board.resource
Test Setup          A Board At Its Prompt
Test Teardown       Reset Emulation
Test Tags           boot


*** Test Cases ***
Boot To The REPL
    [Setup]    Create Machine
    Create Terminal Tester    sysbus.uart0
    Start Emulation
    Wait For Line On Uart    POWERON_RESET
    Wait For Line On Uart    MicroPython v1.
    Wait For Prompt On Uart    >>>

Evaluate
    Write Line To Uart    1 + 1
    Wait For Line On Uart    2    matchNextLine=True
    Wait For Prompt On Uart    >>>
    ${platform} =    Evaluate On Board    __import__('sys').platform
    Should Be Equal    ${platform}    'esp32'

A Line Tells Its Groups And Its Time
    Write Line To Uart    print('took', 12, 'ms')
    ${line} =    Wait For Line On Uart    took (\\d+) (\\w+)    treatAsRegex=True
    Should Be Equal    ${line.Line}    took 12 ms
    Should Be Equal    ${line.Groups}    ${{['12', 'ms']}}
    ${now} =    Virtual Seconds
    Should Be True    0 < ${line.Timestamp} <= ${now} * 1000

An Exception Is Shown And The REPL Goes On
    Write Line To Uart    1 / 0
    Wait For Line On Uart    ZeroDivisionError
    Wait For Prompt On Uart    >>>
    Board Should Not Have Been Reset

Power Cycle Forgets RAM
    Write Line To Uart    x = 41
    Wait For Prompt On Uart    >>>
    Power Cycle
    Wait For Line On Uart    POWERON_RESET
    Wait For Prompt On Uart    >>>
    Write Line To Uart    x
    Wait For Line On Uart    NameError

Power Cycle Keeps Flash
    Run On Board    with open('kept.txt', 'w') as file: file.write('41')
    Power Cycle
    Wait For Prompt On Uart    >>>
    ${kept} =    Evaluate On Board    open('kept.txt').read()
    Should Be Equal    ${kept}    '41'

Reset By The Program
    Write Line To Uart    import machine; machine.reset()    waitForEcho=False
    Wait For Line On Uart    SW_CPU_RESET
    Wait For Prompt On Uart    >>>

Soft Reset By Ctrl-D
    Send Key To Uart    0x04
    Wait For Line On Uart    MPY: soft reboot
    Wait For Prompt On Uart    >>>
    Board Should Not Have Been Reset

Reset Button
    Execute Command    machine Reset
    Wait For Prompt On Uart    >>>

An Endless Loop Ends With Ctrl-C
    Write Line To Uart    while True: pass
    Send Key To Uart    0x0d
    Should Not Be On Uart    >>>    timeout=1    includeUnfinishedLine=True
    Send Key To Uart    0x03
    Wait For Line On Uart    KeyboardInterrupt
    Wait For Prompt On Uart    >>>

Nothing Comes Unasked
    Test If Uart Is Idle    60

A Paused Board Stands Still
    ${before} =    Virtual Seconds
    Execute Command    pause
    Run Keyword And Expect Error    *paused*    Wait For Prompt On Uart    >>>
    ${after} =    Virtual Seconds
    Should Be Equal    ${before}    ${after}
    Execute Command    start
    Evaluate On Board    1

Time Passes When It Is Told To
    ${before} =    Virtual Seconds
    Execute Command    emulation RunFor "120"
    ${after} =    Virtual Seconds
    Should Be True    120 <= ${after} - ${before} < 120.1

The Board Can Be Looked Into
    ${flash_id} =    Execute Command    sysbus ReadDoubleWord 0x3FFAE270
    Should Be Equal    ${flash_id}    0x00EF4016

A Kept State Can Be Gone Back To
    Run On Board    x = 41
    Provides    x is known
    Run On Board    x = 42
    Requires    x is known
    ${x} =    Evaluate On Board    x
    Should Be Equal    ${x}    41
