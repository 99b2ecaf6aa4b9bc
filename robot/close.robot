*** Settings ***
Documentation       How a WebSocket ends, from either side (RFC 6455, section 7).
Resource            board.resource
Suite Setup         Provide The Endings
Test Setup          Requires    endings
Test Teardown       Reset Emulation
Test Tags           websocket    close


*** Test Cases ***
A Closed Browser Tab Is Seen As 1001
    Open WebSocket    /echo
    Close WebSocket    1001
    Expect Close    1001
    Wait For Line On Uart    lab: closed 1001

The App Learns The Client's Reason
    Open WebSocket    /echo
    Close WebSocket    4000    reason=enough for today
    Expect Close    4000
    Wait For Line On Uart    lab: closed 4000 enough for today.

A Close Without A Code Is Seen As 1005
    Open WebSocket    /echo
    Close WebSocket    none
    Expect Close    none
    Wait For Line On Uart    lab: closed 1005

A Reason Of Full Length Is Taken
    Open WebSocket    /echo
    Close WebSocket    1000    reason=${{'r' * 123}}
    Expect Close    1000

Half A Code Is A Protocol Error
    Open WebSocket    /echo
    Send Frame    close    ${{b'\x03'}}
    Expect Close    1002

A Reason That Is Not UTF-8 Is Bad Data
    Open WebSocket    /echo
    Send Frame    close    ${{b'\x03\xe8\xc0\xaf'}}
    Expect Close    1007

A Close Frame That Is Too Long Is A Protocol Error
    Open WebSocket    /echo
    Send Frame    close    ${{b'\x03\xe8' + b'r' * 124}}
    Expect Close    1002

What Follows A Close Is Not Answered
    [Tags]    known-defect    # RST behind the close; mended on wip-conform
    Open WebSocket    /echo
    Close WebSocket    1000
    Send Text    too late
    Send Ping    ${{b'too late'}}
    Expect Close    1000

A Second Close Of The Client Changes Nothing
    [Tags]    known-defect    # RST behind the close; mended on wip-conform
    Open WebSocket    /echo
    Close WebSocket    1000
    Close WebSocket    1001
    Expect Close    1000

Messages Before The Close Are Answered First
    Open WebSocket    /echo
    FOR    ${number}    IN RANGE    20
        Send Text    ${number}
    END
    Close WebSocket    1000
    FOR    ${number}    IN RANGE    20
        Expect Message    ${{str($number)}}
    END
    Expect Close    1000

The Client Closes While The Board Sends
    Open WebSocket    /big/30000    window=2000
    Send Text    now
    Close WebSocket    1001
    Expect Message    ${{bytes(30000)}}
    Expect Close    1001
    Wait For Line On Uart    lab: closed 1001

The App Closes With 1000
    [Template]    The App Closes With
    1000

The App Closes With 1001
    [Template]    The App Closes With
    1001

The App Closes With 1008
    [Template]    The App Closes With
    1008

The App Closes With 1011
    [Template]    The App Closes With
    1011

The App Closes With 3000
    [Template]    The App Closes With
    3000

The App Closes With 4999
    [Template]    The App Closes With
    4999

The App Closes Twice
    Open WebSocket    /close-twice
    Expect Close    1000
    Wait For Line On Uart    lab: closed twice

Nothing Can Be Sent Or Received After The App's Close
    Open WebSocket    /send-after-close
    Expect Close    1000
    Wait For Line On Uart    lab: refused: Websocket connection closed.
    Wait For Line On Uart    lab: refused: Websocket connection closed.

A Client That Does Not Answer The Close Is Let Go
    Open WebSocket    /close/1000
    Expect Close    1000    answer=False
    The Board Serves

A Client That Sends On After The App's Close Still Gets It
    Open WebSocket    /returns
    FOR    ${_}    IN RANGE    20
        Send Binary    ${{bytes(500)}}
    END
    Expect Close    1000

The Handler Returns
    Open WebSocket    /returns
    Send Text    go
    Expect Close    1000
    The Board Serves

The Handler Raises
    Open WebSocket    /raises
    Send Text    go
    Expect Close    1011
    Wait For Line On Uart    ValueError: on purpose
    The Server Lives

The Handler Raises After An Upgrade Of Its Own
    Open WebSocket    /upgrade-raises
    Send Text    go
    Expect Close    1011
    Wait For Line On Uart    ValueError: on purpose
    The Server Lives

The Handler Aborts
    Open WebSocket    /aborts
    Send Text    go
    Expect Close    1008
    The Board Serves

The Handler Aborts After An Upgrade Of Its Own
    Open WebSocket    /upgrade-aborts
    Send Text    go
    Expect Close    1008
    The Board Serves

The Server Shuts Down
    ${answer} =    Get    /shutdown
    Should Be Equal    ${answer}    shutting down
    Wait For Line On Uart    lab: server has ended

A WebSocket Goes Away With The Server
    Open WebSocket    /echo
    Send Text    before
    Expect Message    before
    ${answer} =    Get    /shutdown
    Should Be Equal    ${answer}    shutting down
    Wait For Line On Uart    lab: server has ended
    Expect Silence    1

The Client Ends Its Side Without A Close
    Open WebSocket    /echo
    End Of Stream
    Expect End
    Wait For Line On Uart    lab: closed 1006
    The Board Serves

The Client Ends In The Middle Of A Frame
    Open WebSocket    /echo
    Send Bytes    ${{b'\x81\x85\0\0'}}
    End Of Stream
    Expect End
    Wait For Line On Uart    lab: closed 1006
    The Board Serves

The Client Resets
    Open WebSocket    /echo
    Abort WebSocket
    Wait For Line On Uart    lab: closed 1006
    The Board Serves

The Client Resets In The Middle Of A Frame
    Open WebSocket    /echo
    Send Frame    binary    ${{bytes(100)}}    length=5000
    Wait Until Sent
    Abort WebSocket
    Wait For Line On Uart    lab: closed 1006
    The Board Serves

The Client Resets While The Board Sends
    Open WebSocket    /flood/1000/1000    window=3000
    ${message} =    Next Message
    Length Should Be    ${message}    1000
    Abort WebSocket
    Wait For Line On Uart    lab: closed 1006
    The Board Serves


*** Keywords ***
Provide The Endings
    [Documentation]    The app that ends in every way, booted.
    A Board With The App    endings
    Provides    endings

The App Closes With
    [Documentation]    The code arrives, and the reason with it.
    [Arguments]    ${code}
    Open WebSocket    /close/${code}
    Expect Close    ${code}    reason=as you wish
    Wait For Line On Uart    lab: closed: True
    The Board Serves

The Server Lives
    [Documentation]    After a traceback that was meant to be.
    ${answer} =    Get    /hello
    Should Be Equal    ${answer}    hello
    Board Should Not Have Been Reset
