*** Settings ***
Documentation       Messages come back as they were sent.
Resource            board.resource
Test Setup          A WebSocket To The Board
Test Teardown       Reset Emulation
Test Tags           websocket    echo


*** Test Cases ***
Text Comes Back
    Send Text    hello
    Expect Message    hello

Text In Many Scripts Comes Back
    Send Text    grüße, 世界, שלום 🚀
    Expect Message    grüße, 世界, שלום 🚀

An Empty Text Comes Back
    Send Text    ${EMPTY}
    Expect Message    ${EMPTY}

Binary Data Comes Back
    Send Binary    ${{bytes(range(256))}}
    Expect Message    ${{bytes(range(256))}}

An Empty Binary Message Comes Back
    Send Binary    ${{b''}}
    Expect Message    ${{b''}}

Many Messages Come Back In Order
    FOR    ${number}    IN RANGE    50
        Send Text    message ${number}
    END
    FOR    ${number}    IN RANGE    50
        Expect Message    message ${number}
    END


*** Keywords ***
A WebSocket To The Board
    A Board That Serves
    Open WebSocket    /echo
