*** Settings ***
Documentation       A full flash is told to the app, and is no end of it.
Resource            board.resource
Suite Setup         Provide The Logger
Test Setup          Requires    logger
Test Teardown       Reset Emulation
Test Tags           flash    large-files


*** Test Cases ***
A Message Is Written To Flash
    Open WebSocket    /write
    Send Text    first entry
    Expect Message    written
    The Diary Has    11

What Was Written Outlives A Power Cycle
    Open WebSocket    /write
    Send Text    first entry
    Expect Message    written
    Power Cycle
    The App Comes Up
    The Diary Has    11

A Full Flash Is Told To The App
    Fill The Flash
    Open WebSocket    /write
    FOR    ${_}    IN RANGE    20
        Send Binary    ${{bytes(16000)}}
        ${answer} =    Next Message
        IF    $answer == 'no room'    BREAK
    END
    Should Be Equal    ${answer}    no room
    The Board Is Alive

A Full Flash Is No Obstacle For A Boot
    Fill The Flash
    Power Cycle
    The App Comes Up
    The Board Is Alive

Room On The Flash Can Be Made Again
    Fill The Flash
    ${answer} =    Get    /free    timeout=120
    Should Be Equal    ${answer}    freed
    Open WebSocket    /write
    Send Text    room again
    Expect Message    written

An Image That Does Not Fit Is Refused
    Run Keyword And Expect Error    *don't fit*    Create Machine    app=camera
    ...    files=${{ {'big.bin': bytes(3 * 1024 * 1024)} }}


*** Keywords ***
Provide The Logger
    [Documentation]    The app that keeps a diary, on a flash that is nearly full, booted.
    Create Machine    app=logger    booted_already=True    files=${{ {'load.bin': b'x' * 1900000} }}
    Create Terminal Tester    sysbus.uart0
    Provides    logger

Fill The Flash
    [Documentation]    Until error 28, ENOSPC.
    ${answer} =    Get    /fill    timeout=120
    Should Contain    ${answer}    error 28

The Diary Has
    [Documentation]    So many bytes.
    [Arguments]    ${size}
    ${answer} =    Get    /diary
    Should Be Equal    ${answer}    ${size}

The Board Is Alive
    [Documentation]    It answers, and nothing has raised.
    ${answer} =    Get    /diary
    Should Be True    int($answer) >= 0
    Should Not Have Been On Uart    Traceback
