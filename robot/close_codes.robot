*** Settings ***
Documentation       Which codes may stand in a close frame, both ways (RFC 6455, section 7.4).
Resource            board.resource
Suite Setup         Provide The Endings
Test Setup          Requires    endings
Test Teardown       Reset Emulation
Test Template       Close With ${code} Is Answered With ${answer}
Test Tags           websocket    close


*** Test Cases ***                      CODE    ANSWER
Normal Closure                          1000    1000
Going Away                              1001    1001
Protocol Error                          1002    1002
Unsupported Data                        1003    1003
Invalid Payload                         1007    1007
Policy Violation                        1008    1008
Message Too Big                         1009    1009
Extension Expected                      1010    1010
Internal Error                          1011    1011
Service Restart                         1012    1012
Try Again Later                         1013    1013
Bad Gateway                             1014    1014
First Of The Libraries                  3000    3000
Last Of The Libraries                   3999    3999
First Of The Applications               4000    4000
Last Of The Applications                4999    4999
No Code At All                          none    none
Code 0 Is None                          0       1002
Code 999 Is None                        999     1002
Code 1004 Is Reserved                   1004    1002
Code 1005 Is Never Sent                 1005    1002
Code 1006 Is Never Sent                 1006    1002
Code 1015 Is Never Sent                 1015    1002
Code 1016 Is Not Defined                1016    1002
Code 1100 Is Not Defined                1100    1002
Code 2000 Is Not Defined                2000    1002
Code 2999 Is Not Defined                2999    1002
Code 5000 Is Out Of Range               5000    1002
Code 65535 Is Out Of Range              65535    1002


*** Keywords ***
Provide The Endings
    [Documentation]    The app that ends in every way, booted.
    A Board With The App    endings
    Provides    endings

Close With ${code} Is Answered With ${answer}
    [Documentation]    The client closes; the board answers, ends the connection and lives on.
    Open WebSocket    /echo
    Close WebSocket    ${code}
    Expect Close    ${answer}
    The Board Serves
