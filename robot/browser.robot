*** Settings ***
Documentation       The board's page in a real browser: what a person sees and does.
Resource            board.resource
Library             lab.keywords.BrowserKeywords
Suite Setup         Skip Without Chromium
Test Setup          A Board In The Browser
Test Tags           chromium    websocket


*** Test Cases ***
The Picture Decodes And Advances
    ${first} =    Wait For New Picture    width=160
    ${second} =    Wait For New Picture
    Should Not Be Equal    ${first.checksum}    ${second.checksum}
    Wait For Text On Page    camera    VC0706
    Take Screenshot    live page

A Click On The LED Changes The Pin And The Other Tab
    Open Camera Page    name=other
    Click On Page    led
    Wait For Gpio    2    high    timeout=60
    Wait For LED Button    on    name=other
    Click On Page    led    name=other
    Wait For Gpio    2    low    timeout=60
    Wait For LED Button    off

A Message Reaches The Console And The Other Tab
    Open Camera Page    name=other
    Type On Page    text    good morning
    Wait For Line On Uart    lab: message: good morning
    Wait For Text On Page    log    good morning    name=other

The Echo Shows
    Type On Page    echoText    there and back
    Wait For Text On Page    echoState    there and back

A Bigger Size Makes Bigger Pictures
    Choose On Page    size    320x240
    ${picture} =    Wait For New Picture    width=320
    Should Be Equal As Integers    ${picture.height}    240

A Closed Tab Is 1001
    Wait For New Picture
    Close Camera Page
    Wait For Line On Uart    lab: closed 1001
    ${status} =    Get JSON    /status
    Should Be Equal As Integers    ${status}[clients]    0

A Reload Is 1001 And Goes On
    Reload Camera Page
    Wait For Line On Uart    lab: closed 1001
    Wait For Page State    live
    Wait For New Picture

A Power Cut Shows And Heals
    [Setup]    A Board In The Browser    silence=1500
    Wait For New Picture
    Power Cycle
    Wait For Page State    reconnecting
    Take Screenshot    reconnecting
    Wait For Page State    live
    Wait For New Picture

A Pulled Cable Shows And Heals
    [Setup]    A Board In The Browser    silence=1500
    Wait For New Picture
    Pull Cable
    Wait For Page State    reconnecting
    Plug Cable
    Wait For Page State    live
    Wait For New Picture


*** Keywords ***
A Board In The Browser
    [Documentation]    The app serves real programs of this machine, and its page is live.
    [Arguments]    ${silence}=60000
    Requires    serving    network=gateway
    Create Terminal Tester    sysbus.uart0    timeout=60
    Open Camera Page    silence=${silence}
