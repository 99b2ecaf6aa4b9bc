*** Settings ***
Documentation       Frames that break the protocol end the connection with the right code, and only
...                 that connection (RFC 6455, sections 5 and 8).
Resource            board.resource
Test Setup          A WebSocket To The Board
Test Teardown       Reset Emulation
Test Template       A Frame Ends With
Test Tags           websocket    frames


*** Test Cases ***                      CODE    FRAME
Without A Mask                          1002    text      ${{b'hello'}}    mask=0
The First Reserved Bit                  1002    text      ${{b'hello'}}    rsv1=1
The Second Reserved Bit                 1002    text      ${{b'hello'}}    rsv2=1
The Third Reserved Bit                  1002    text      ${{b'hello'}}    rsv3=1
A Reserved Bit In A Ping                1002    ping      ${{b'hello'}}    rsv1=1
Opcode 3 Is Reserved                    1002    3         ${{b'hello'}}
Opcode 4 Is Reserved                    1002    4         ${{b'hello'}}
Opcode 5 Is Reserved                    1002    5         ${{b'hello'}}
Opcode 6 Is Reserved                    1002    6         ${{b'hello'}}
Opcode 7 Is Reserved                    1002    7         ${{b'hello'}}
Opcode 11 Is Reserved                   1002    11        ${{b'hello'}}
Opcode 15 Is Reserved                   1002    15        ${{b'hello'}}
The Start Of A Fragmented Message       1003    text      ${{b'hello'}}    fin=0
A Continuation Of Nothing               1003    cont      ${{b'hello'}}
A Short Length In 16 Bits               1002    text      ${{b'hello'}}    length_bits=16
A Short Length In 64 Bits               1002    text      ${{b'hello'}}    length_bits=64
A Length Of 16 Bits In 64               1002    binary    ${{bytes(300)}}    length_bits=64
A Length With The Top Bit               1002    text      length=${{2**63}}    length_bits=64
A Length Beyond All Memory              1009    text      length=${{2**62}}    length_bits=64
A Lone Continuation Byte                1007    text      ${{b'\x80'}}
An Overlong Slash                       1007    text      ${{b'\xc0\xaf'}}
A Surrogate                             1007    text      ${{b'\xed\xa0\x80'}}
Beyond The Last Character               1007    text      ${{b'\xf4\x90\x80\x80'}}
A Character Cut Short                   1007    text      ${{b'caf\xc3'}}
A Byte That Is Never UTF-8              1007    text      ${{b'\xff'}}


*** Keywords ***
A WebSocket To The Board
    [Documentation]    Of the camera app's echo.
    A Board That Echoes
    Open WebSocket    /echo

A Frame Ends With
    [Documentation]    A frame with a lie in it, the close code, and a server that lives on.
    [Arguments]    ${code}    @{frame}    &{fields}
    Send Frame    @{frame}    &{fields}
    Expect Close    ${code}
    The Board Serves
