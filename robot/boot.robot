*** Settings ***
Documentation       The board boots to its REPL, evaluates, and comes back after every reset.
Resource            board.resource
Suite Setup         Provide The Prompt
Suite Teardown      Reset Emulation
Test Setup          Requires    prompt
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
    Wait For Line On Uart    2
    Wait For Prompt On Uart    >>>
    ${platform} =    Evaluate On Board    __import__('sys').platform
    Should Be Equal    ${platform}    'esp32'

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

Reset By The Program
    Write Line To Uart    import machine; machine.reset()
    Wait For Line On Uart    SW_CPU_RESET
    Wait For Prompt On Uart    >>>

Reset Button
    Execute Command    machine Reset
    Wait For Prompt On Uart    >>>

Nothing Comes Unasked
    Should Not Be On Uart    a    timeout=2


*** Keywords ***
Provide The Prompt
    Board At Its Prompt
    Provides    prompt
