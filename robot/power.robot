*** Settings ***
Documentation       The supply fails, sags and comes back, whatever the board is doing.
Resource            board.resource
Test Setup          A Board That Serves
Test Teardown       Reset Emulation
Test Tags           power


*** Test Cases ***
The App Comes Back After A Power Cycle
    Power Cycle
    Wait For Line On Uart    POWERON_RESET
    The App Comes Up
    Open WebSocket    /echo
    Send Text    back again
    Expect Message    back again

Power Fails In The Middle Of A Stream
    Open WebSocket    /camera
    ${before} =    Next Picture
    Power Off
    Run Keyword And Expect Error    *nothing came*    Next Picture    timeout=10
    Power On
    The App Comes Up
    Open WebSocket    /camera    name=again
    ${after} =    Next Picture    name=again
    Should Be True    ${before.number} >= 0 and ${after.number} >= 0

An Old Connection Is Reset After A Power Failure
    Open WebSocket    /echo
    Power Cycle
    The App Comes Up
    Send Text    do you remember me?
    Expect End

Power Fails In The Middle Of A Message
    Open WebSocket    /echo
    Send Bytes    ${{b'\x81\x85\0\0\0\0he'}}
    Wait Until Sent
    Power Cycle
    The App Comes Up
    Send Bytes    ${{b'llo'}}
    Expect End

Power Fails During The Handshake
    Power Off
    Run Keyword And Expect Error    *did not answer a SYN*    Open WebSocket    /echo    timeout=5
    Power On
    The App Comes Up
    Open WebSocket    /echo

Power Is Off For A Day
    Power Off
    Execute Command    emulation RunFor "24:00:00"
    Power On
    The App Comes Up
    ${status} =    Get JSON    /status
    Should Be True    ${status}[uptime_ms] < 60000

Power Fails In The Middle Of A Boot
    Power Cycle
    Wait For Line On Uart    entry 0x
    Power Cycle
    The App Comes Up

Power Fails Again And Again
    FOR    ${_}    IN RANGE    10
        Power Cycle
        Wait For Line On Uart    POWERON_RESET
    END
    The App Comes Up

A Brown-Out In The Middle Of A Stream
    Open WebSocket    /camera
    ${before} =    Next Picture
    Should Be Equal As Integers    ${before.width}    160
    Brown Out
    Wait For Line On Uart    BROWN_OUT
    The App Comes Up
    Open WebSocket    /camera    name=again
    ${after} =    Next Picture    name=again
    Should Be Equal As Integers    ${after.width}    160

A Brown-Out Forgets RAM
    [Setup]    A Board At Its Prompt
    Run On Board    x = 41
    Brown Out
    Wait For Prompt On Uart    >>>
    Write Line To Uart    x
    Wait For Line On Uart    NameError

The Reset Button In The Middle Of A Stream
    Open WebSocket    /camera
    ${before} =    Next Picture
    Should Be Equal As Integers    ${before.width}    160
    Execute Command    machine Reset
    The App Comes Up
    Send Ping
    Expect End
    Open WebSocket    /camera    name=again
    ${after} =    Next Picture    name=again
    Should Be Equal As Integers    ${after.width}    160

Power Fails After 1 Byte Of A Write
    [Setup]    A Board At Its Prompt
    [Template]    The Filesystem Survives A Cut After
    1

Power Fails In The First Sector Of A Write
    [Setup]    A Board At Its Prompt
    [Template]    The Filesystem Survives A Cut After
    2000

Power Fails In The Second Sector Of A Write
    [Setup]    A Board At Its Prompt
    [Template]    The Filesystem Survives A Cut After
    6000

Power Fails In The Third Sector Of A Write
    [Setup]    A Board At Its Prompt
    [Template]    The Filesystem Survives A Cut After
    10000

A Board Without Power Says Nothing
    Power Off
    Test If Uart Is Idle    60


*** Keywords ***
The Filesystem Survives A Cut After
    [Documentation]    A program writes a file; the supply fails in mid-operation. After power-on the
    ...    filesystem is whole and can be written to.
    [Arguments]    ${count}
    Run On Board    with open('kept.txt', 'w') as file: file.write('kept')
    Cut Power After Flash Bytes    ${count}
    Write Line To Uart    open('new.txt', 'w').write('x' * 20000)    waitForEcho=False
    Wait For Power To Fail
    Power On
    Wait For Prompt On Uart    >>>
    ${kept} =    Evaluate On Board    open('kept.txt').read()
    Should Be Equal    ${kept}    'kept'
    Run On Board    with open('after.txt', 'w') as file: file.write('after')
