*** Settings ***
Documentation       The camera app streams what the sensor sees, and does what it is told.
Resource            board.resource
Test Setup          A Viewer
Test Teardown       Reset Emulation
Test Tags           websocket    camera


*** Test Cases ***
Pictures Come And Advance
    ${first} =    Next Picture
    ${second} =    Next Picture
    ${third} =    Next Picture
    Picture Should Be Newer    ${second}    ${first}
    Picture Should Be Newer    ${third}    ${second}

A Picture Is 160 By 120 At First
    ${picture} =    Next Picture
    Should Be Equal As Integers    ${picture.width}    160
    Should Be Equal As Integers    ${picture.height}    120

A Red Wall Is Red
    Camera Looks At    red
    Pass Over A Picture
    ${picture} =    Next Picture
    Picture Should Show    ${picture}    red

What The Camera Looks At Can Change
    Camera Looks At    blue
    Pass Over A Picture
    ${picture} =    Next Picture
    Picture Should Show    ${picture}    blue
    Camera Looks At    lime
    Pass Over A Picture
    ${picture} =    Next Picture
    Picture Should Show    ${picture}    lime

Two Viewers See The Stream
    Open WebSocket    /camera    name=other
    ${picture} =    Next Picture
    ${other} =    Next Picture    name=other
    ${newer} =    Next Picture
    Picture Should Be Newer    ${newer}    ${picture}
    Should Not Be Equal As Integers    ${other.number}    ${0}

A Viewer That Comes Back Sees New Pictures
    ${before} =    Next Picture
    Close WebSocket    1001
    Expect Close    1001    after_messages=True
    Execute Command    emulation RunFor "5"
    Open WebSocket    /camera
    ${after} =    Next Picture
    Picture Should Be Newer    ${after}    ${before}

Nobody Watches And Nothing Is Captured
    ${picture} =    Next Picture
    Should Be True    ${picture.number} > 0
    Close WebSocket
    Expect Close    1000    after_messages=True
    Execute Command    emulation RunFor "2"
    ${before} =    Get JSON    /status
    Execute Command    emulation RunFor "5"
    ${after} =    Get JSON    /status
    Should Be Equal As Integers    ${before}[frames]    ${after}[frames]

A Viewer That Reads Nothing Does Not Stop The Others
    Open WebSocket    /camera    name=asleep    window=1000
    FOR    ${_}    IN RANGE    5
        ${picture} =    Next Picture
        Should Be Equal As Integers    ${picture.width}    160
    END

A Viewer That Wakes Up Sees A Picture Of Now
    ${first} =    Next Picture
    Execute Command    emulation RunFor "3"
    ${awake} =    Next Picture
    Picture Should Be Newer    ${awake}    ${first}

The Size Can Be Changed
    Send Text    {"size": "320x240"}
    Expect Answer    {"size": "320x240"}
    Wait Until A Picture Is 320 By 240

A Size That The Part Has Not Is Refused
    Send Text    {"size": "9999x1"}
    Expect Answer    {"error": "no such size: 9999x1"}
    ${picture} =    Next Picture
    Should Be Equal As Integers    ${picture.width}    160

Compression Makes Pictures Smaller
    ${before} =    Next Picture
    Send Text    {"compression": 255}
    Expect Answer    {"compression": 255}
    FOR    ${_}    IN RANGE    4
        ${after} =    Next Picture
    END
    Should Be True    len($after.data) < len($before.data)

A Ping Of The Page Comes Back
    Send Text    {"ping": 12345}
    Expect Answer    {"pong": 12345}

The Status Tells Of The Stream
    ${picture} =    Next Picture
    ${status} =    Get JSON    /status
    Should Be Equal    ${status}[camera]    VC0706
    Should Be Equal    ${status}[camera_error]    ${None}
    Should Be Equal As Integers    ${status}[clients]    1
    Should Be True    ${status}[frames] >= 1
    Should Be True    ${picture.number} >= 0

A Command That Is No JSON Is An Error
    [Template]    A Command Is Answered
    led on    {"error": "a command is a JSON object with one key"}

A Command With Two Keys Is An Error
    [Template]    A Command Is Answered
    {"led": true, "ping": 1}    {"error": "a command is a JSON object with one key"}

An Unknown Command Is An Error
    [Template]    A Command Is Answered
    {"dance": true}    {"error": "no such command: dance"}

An Unheard-Of Compression Is An Error
    [Template]    A Command Is Answered
    {"compression": 256}    {"error": "compression is 0 to 255, not 256"}


*** Keywords ***
Pass Over A Picture
    [Documentation]    That was taken before the scene has changed.
    Next Picture

A Viewer
    [Documentation]    A WebSocket on the camera's stream.
    A Board That Serves
    Open WebSocket    /camera

A Command Is Answered
    [Documentation]    A text message, and the JSON that comes back among the pictures.
    [Arguments]    ${command}    ${json}
    Send Text    ${command}
    Expect Answer    ${json}

Expect Answer
    [Documentation]    The next text message among the pictures says this in JSON.
    [Arguments]    ${json}
    ${text} =    Next Text
    Should Be Equal    ${{json.loads($text)}}    ${{json.loads($json)}}

Wait Until A Picture Is 320 By 240
    [Documentation]    One of the next four.
    FOR    ${_}    IN RANGE    4
        ${picture} =    Next Picture
        IF    ${picture.width} == 320    BREAK
    END
    Should Be Equal As Integers    ${picture.width}    320
    Should Be Equal As Integers    ${picture.height}    240
