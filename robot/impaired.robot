*** Settings ***
Documentation       A network that loses, delays, reorders and doubles: WebSockets do not notice but
...                 for the time it takes.
Resource            board.resource
Test Setup          A Board That Serves
Test Teardown       Reset Emulation
Test Template       Messages Come Back Whole With
Test Tags           network    impaired


*** Test Cases ***                  IMPAIRMENT
5 Percent Are Lost                  loss=0.05
20 Percent Are Lost                 loss=0.2
30 Percent Are Lost                 loss=0.3
Only What The Board Sends Is Lost   loss=0.2    direction=from board
Only What The Board Gets Is Lost    loss=0.2    direction=to board
Another 20 Percent Are Lost         loss=0.2    seed=2
10 Milliseconds Late                delay=0.01
200 Milliseconds Late               delay=0.2
A Second Late                       delay=1
Late And Uneven                     delay=0.05    jitter=0.1
A Few Out Of Order                  reorder=0.1
Half Out Of Order                   reorder=0.5
A Few Twice                         duplicate=0.1
All Twice                           duplicate=1
A Thin Line                         bandwidth=256000
All At Once                         loss=0.1    delay=0.02    jitter=0.02    reorder=0.2    duplicate=0.2

A Handshake On A Bad Line
    [Template]    NONE
    Impair Network    loss=0.3
    Open WebSocket    /echo    timeout=120
    Send Text    made it
    Expect Message    made it    timeout=120

A Stream On A Bad Line
    [Template]    NONE
    Open WebSocket    /camera
    Impair Network    loss=0.1
    ${first} =    Next Picture    timeout=120
    ${second} =    Next Picture    timeout=120
    Picture Should Be Newer    ${second}    ${first}

A Close On A Bad Line
    [Template]    NONE
    Open WebSocket    /echo
    Impair Network    loss=0.3
    Close WebSocket    4000
    Expect Close    4000    timeout=120

The Line Gets Well Again
    [Template]    NONE
    Open WebSocket    /echo
    Impair Network    loss=1
    Send Text    into the void
    Run Keyword And Expect Error    *nothing came*    Next Message    timeout=5
    Heal Network
    Expect Message    into the void    timeout=60
    The Board Serves

A Run With Losses Repeats To The Microsecond
    [Template]    NONE
    ${first} =    The Time Of A Run With Losses
    Requires    serving
    ${second} =    The Time Of A Run With Losses
    Should Be Equal    ${first}    ${second}


*** Keywords ***
Messages Come Back Whole With
    [Documentation]    Short and long ones, in order; then the board still serves.
    [Arguments]    @{none}    &{impairment}
    Open WebSocket    /echo
    Impair Network    @{none}    &{impairment}
    FOR    ${number}    IN RANGE    8
        Send Text    message ${number}
        Expect Message    message ${number}    timeout=120
    END
    Send Binary    ${{bytes(range(256)) * 20}}
    Expect Message    ${{bytes(range(256)) * 20}}    timeout=120
    Heal Network
    The Board Serves

The Time Of A Run With Losses
    [Documentation]    Virtual seconds at the end of it.
    Impair Network    loss=0.3    seed=7
    Open WebSocket    /echo    timeout=120
    Send Binary    ${{bytes(5000)}}
    Expect Message    ${{bytes(5000)}}    timeout=120
    ${lost} =    Frames Lost
    Should Be True    ${lost} > 0
    ${time} =    Virtual Seconds
    RETURN    ${time}
