*** Settings ***
Documentation       Clients that read or write slowly get all they should, and hold up nobody.
Resource            board.resource
Suite Setup         Provide The Endings
Test Setup          Requires    endings
Test Teardown       Reset Emulation
Test Tags           websocket    slow


*** Test Cases ***
A Reader With A Small Window Gets Every Message
    Open WebSocket    /flood/50/1000    window=1000
    All Messages Come In Order    50
    Expect Close    1000
    Wait For Line On Uart    lab: sent all

A Reader With A Window Of One Segment Gets A Long Message Whole
    Open WebSocket    /big/8000    window=1500
    Send Text    now
    Expect Message    ${{bytes(8000)}}

A Reader That Stops For A While Goes On Where It Was
    Open WebSocket    /flood/50/1000    window=4000
    All Messages Come In Order    3
    Execute Command    emulation RunFor "20"
    All Messages Come In Order    47    first=3
    Expect Close    1000

The Board Waits For A Reader That Stands Still
    Open WebSocket    /flood/50/1000    window=4000
    Should Not Be On Uart    lab: sent all    timeout=30
    All Messages Come In Order    50

Others Are Served While A Reader Stands Still
    Open WebSocket    /flood/50/1000    name=slow    window=4000
    Execute Command    emulation RunFor "1"
    The Board Serves
    ${answer} =    Get    /hello
    Should Be Equal    ${answer}    hello

A Reader That Stands Still May Leave
    Open WebSocket    /flood/50/1000    window=4000
    Execute Command    emulation RunFor "1"
    Abort WebSocket
    Wait For Line On Uart    lab: closed 1006
    The Board Serves

A Reader That Never Reads Does Not Stop The App's Close
    Open WebSocket    /flood/4/1000    window=2000
    Execute Command    emulation RunFor "20"
    The Board Serves

A Message That Comes Byte By Byte Is Whole
    Open WebSocket    /echo
    Send Slowly    ${{bytes(range(200))}}    chunk=1    pause=0.05
    Expect Message    ${{bytes(range(200))}}

A Message That Takes A Minute Is Whole
    Open WebSocket    /echo
    Send Slowly    ${{bytes(600)}}    chunk=50    pause=5
    Expect Message    ${{bytes(600)}}

Others Are Served While A Message Comes In Slowly
    Open WebSocket    /echo    name=slow
    Send Bytes    ${{b'\x82\x85\0\0\0\0sl'}}    name=slow
    Wait Until Sent    name=slow
    The Board Serves
    Send Bytes    ${{b'owly'[:3]}}    name=slow
    Expect Message    ${{b'slowl'}}    name=slow

An Impatient App Loses Nothing Of A Slow Message
    Open WebSocket    /impatient
    Send Bytes    ${{b'\x81\x84\0\0\0\0sl'}}
    Execute Command    emulation RunFor "2"
    Send Bytes    ${{b'ow'}}
    Expect Message    slow after some waits

A Request That Comes Byte By Byte Is Served
    Open WebSocket    /echo    chunk=1
    Send Text    got it
    Expect Message    got it

A Thin Line Carries Messages Slowly
    Impair Network    bandwidth=50000
    Open WebSocket    /big/5000
    ${before} =    Virtual Seconds
    Send Text    now
    Expect Message    ${{bytes(5000)}}
    ${after} =    Virtual Seconds
    Should Be True    ${after} - ${before} > 0.8


*** Keywords ***
Provide The Endings
    [Documentation]    The app that ends in every way, booted.
    A Board With The App    endings
    Provides    endings

All Messages Come In Order
    [Documentation]    Messages of /flood, each with its number at the front.
    [Arguments]    ${count}    ${first}=0
    FOR    ${number}    IN RANGE    ${first}    ${{int($first) + int($count)}}
        ${message} =    Next Message
        Should Be Equal    ${message}    ${{$number.to_bytes(4, 'big') + bytes(996)}}
    END
