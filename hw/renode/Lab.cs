// Renode's end of two cables to the lab (lab/net/bridge.py, lab/targets/renode_link.py). Both are
// TCP on loopback, and Renode is the one who connects: nothing listens here.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;

using Antmicro.Migrant;
using Antmicro.Migrant.Hooks;
using Antmicro.Renode.Core;
using Antmicro.Renode.Core.Structure;
using Antmicro.Renode.Exceptions;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Network;
using Antmicro.Renode.Peripherals;
using Antmicro.Renode.Peripherals.CPU;
using Antmicro.Renode.Peripherals.Network;
using Antmicro.Renode.Peripherals.UART;
using Antmicro.Renode.Time;
using Antmicro.Renode.UserInterface;
using Antmicro.Renode.Utilities;

namespace Antmicro.Renode.Lab
{
    public static class LabExtensions
    {
        // A cable from a switch of Renode to the lab's, which listens on `port` of loopback:
        // then `connector Connect <name> <switch>`.
        public static void CreateLabBridge(this Emulation emulation, string name, int port)
        {
            emulation.ExternalsManager.AddExternal(new LabBridge(port), name);
        }

        // What the lab drives a board through.
        public static void CreateLabLink(this Emulation emulation, string name, int port,
            Esp32Chip chip, string bridge)
        {
            IExternal cable;
            emulation.ExternalsManager.TryGetByName(bridge, out cable);
            emulation.ExternalsManager.AddExternal(
                new LabLink(port, chip, cable as LabBridge), name);
        }
    }

    // Messages with a length of 32 bits (big-endian) before them, as QEMU's stream netdev has.
    public sealed class LabStream : IDisposable
    {
        public LabStream(int port)
        {
            try
            {
                client = new TcpClient();
                client.NoDelay = true;
                client.Connect(IPAddress.Loopback, port);
            }
            catch(SocketException error)
            {
                throw new RecoverableException(
                    $"the lab does not listen on port {port} of loopback: {error.Message}");
            }
            stream = client.GetStream();
        }

        // The next message; null when the lab has hung up.
        public byte[] Read()
        {
            var head = ReadExactly(4);
            if(head == null)
            {
                return null;
            }
            var size = head[0] << 24 | head[1] << 16 | head[2] << 8 | head[3];
            return size < 0 || size > MessageMost ? null : ReadExactly(size);
        }

        public bool Write(byte[] message)
        {
            var size = message.Length;
            var whole = new byte[4 + size];
            whole[0] = (byte)(size >> 24);
            whole[1] = (byte)(size >> 16);
            whole[2] = (byte)(size >> 8);
            whole[3] = (byte)size;
            Array.Copy(message, 0, whole, 4, size);
            try
            {
                lock(stream)
                {
                    stream.Write(whole, 0, whole.Length);
                }
                return true;
            }
            catch(Exception error) when(error is IOException || error is ObjectDisposedException)
            {
                return false;
            }
        }

        public void Dispose()
        {
            client.Close();
        }

        private byte[] ReadExactly(int size)
        {
            var data = new byte[size];
            try
            {
                for(var have = 0; have < size;)
                {
                    var count = stream.Read(data, have, size - have);
                    if(count == 0)
                    {
                        return null;
                    }
                    have += count;
                }
            }
            catch(Exception error) when(error is IOException || error is ObjectDisposedException)
            {
                return null;
            }
            return data;
        }

        private readonly TcpClient client;
        private readonly NetworkStream stream;

        private const int MessageMost = 1 << 24;
    }

    // One message is one frame without FCS.
    public class LabBridge : IExternal, IMACInterface, IDisposable
    {
        public LabBridge(int port)
        {
            this.port = port;
            MAC = MACAddress.Parse("02:00:00:00:FF:01"); // of nobody: frames keep their own
            Connect();
        }

        public void ReceiveFrame(EthernetFrame frame)
        {
            var bytes = new byte[frame.Length]; // without the FCS that other models add
            Array.Copy(frame.Bytes, bytes, bytes.Length);
            Send(bytes);
        }

        // Malformed frames, which Renode's switch can't carry, go straight to this board and back.
        public void ConnectRaw(Esp32Emac emac)
        {
            emacs.Add(emac);
            emac.RawReady += Send;
        }

        private void Send(byte[] bytes)
        {
            if(stream != null && stream.Write(bytes))
            {
                Interlocked.Increment(ref sent);
            }
        }

        // Wait until so many frames have come from the lab.
        public void Await(uint count)
        {
            lock(arrived)
            {
                while(received < count && !closed)
                {
                    System.Threading.Monitor.Wait(arrived);
                }
            }
        }

        public void Dispose()
        {
            stream?.Dispose();
        }

        public uint FramesSent
        {
            get { return (uint)sent; }
        }

        public MACAddress MAC { get; set; }

        public event Action<EthernetFrame> FrameReady;

        [PostDeserialization]
        private void Reconnect()
        {
            try
            {
                Connect();
            }
            catch(RecoverableException error)
            {
                this.Log(LogLevel.Warning, "{0}", error.Message);
            }
        }

        private void Connect()
        {
            arrived = new object();
            sent = 0;
            received = 0;
            stream = new LabStream(port);
            new Thread(Listen) { IsBackground = true, Name = "lab bridge" }.Start();
        }

        private void Listen()
        {
            byte[] bytes;
            while((bytes = stream.Read()) != null)
            {
                var message = bytes;
                // a switch drops what comes while the emulation is paused
                EmulationManager.Instance.CurrentEmulation.MasterTimeSource.ExecuteInSyncedState(
                    time => Deliver(message), Outside);
                lock(arrived)
                {
                    received++;
                    System.Threading.Monitor.PulseAll(arrived);
                }
            }
            lock(arrived)
            {
                closed = true;
                System.Threading.Monitor.PulseAll(arrived);
            }
        }

        private void Deliver(byte[] bytes)
        {
            var frame = Esp32Emac.Parse(bytes);
            if(frame != null && !emacs.Any(emac => emac.MAC == frame.SourceMAC))
            {
                FrameReady?.Invoke(frame);
                return;
            }
            // a switch that hears a board's address here would send what is for the board here
            foreach(var emac in emacs)
            {
                // as the switch does, so that frames keep their order
                emac.GetMachine().HandleTimeDomainEvent(emac.ReceiveRaw, bytes, Outside);
            }
        }

        private static TimeStamp Outside
        {
            get { return new TimeStamp(default(TimeInterval), EmulationManager.ExternalWorld); }
        }

        [Transient]
        private object arrived;
        [Transient]
        private LabStream stream;
        [Transient]
        private int sent;
        [Transient]
        private uint received;
        [Transient]
        private bool closed;
        private readonly int port;
        private readonly List<Esp32Emac> emacs = new List<Esp32Emac>();
    }

    // The lab sends requests, one at a time:
    //   W uart bytes      type
    //   C text            a Monitor command; answer: + or -, and what it prints
    //   R ns(8) frames(4) stop(4)
    //                     when so many frames have come over the bridge, let so much time pass, or
    //                     less: up to the quantum in which the chip stops for one of those reasons
    //                     (enum esp32_stop); answer: frames sent, and the chip's status
    //   M address(4) size(4)
    //                     answer: + and what is in memory there
    // and gets, in between, U uart bytes: what the board has sent. Renode ends when the lab does.
    [Transient]
    public class LabLink : IExternal, IDisposable
    {
        public LabLink(int port, Esp32Chip chip, LabBridge bridge)
        {
            this.chip = chip;
            this.bridge = bridge;
            stream = new LabStream(port);
            uarts = new IUART[Esp32Library.Uarts];
            new Thread(Serve) { IsBackground = true, Name = "lab link" }.Start();
        }

        public void AttachUart(IUART uart, int number)
        {
            uarts[number] = uart;
            uart.CharReceived += value => stream.Write(new[] { (byte)'U', (byte)number, value });
        }

        // All is connected: the lab may begin.
        public void Begin()
        {
            Answer(Encoding.UTF8.GetBytes("+"));
        }

        public void Dispose()
        {
            disposed = true;
            stream.Dispose();
        }

        private void Serve()
        {
            byte[] request;
            while((request = stream.Read()) != null)
            {
                switch((char)request[0])
                {
                case 'W':
                    for(var i = 2; i < request.Length; i++)
                    {
                        uarts[request[1]].WriteChar(request[i]);
                    }
                    break;
                case 'C':
                    Answer(Command(Encoding.UTF8.GetString(request, 1, request.Length - 1)));
                    break;
                case 'R':
                    Answer(Run(BigEndian(request, 1, 8), (uint)BigEndian(request, 9, 4),
                        (int)BigEndian(request, 13, 4)));
                    break;
                case 'M':
                    Answer(Memory((uint)BigEndian(request, 1, 4), (int)BigEndian(request, 5, 4)));
                    break;
                }
            }
            if(!disposed)
            {
                this.Log(LogLevel.Info, "the lab has hung up");
                Emulator.Exit();
            }
        }

        private byte[] Run(ulong nanoseconds, uint frames, int reasons)
        {
            bridge?.Await(frames);
            var emulation = EmulationManager.Instance.CurrentEmulation;
            try
            {
                for(ulong done = 0, slice; done < nanoseconds && !chip.StoppedFor(reasons); done += slice)
                {
                    // a frame from outside may reach the chip as late as in the second quantum
                    var quiet = done < 2 * Quantum ? 0 : chip.QuietMicroseconds * 1000;
                    slice = Math.Max(Quantum, quiet);
                    slice = Math.Min(slice, nanoseconds - done);
                    emulation.RunFor(TimeInterval.FromNanoseconds(slice));
                }
            }
            catch(RecoverableException error)
            {
                return Encoding.UTF8.GetBytes("-" + error.Message);
            }
            var sent = bridge == null ? 0 : bridge.FramesSent;
            return Encoding.UTF8.GetBytes($"+{sent} {chip.Status}");
        }

        private byte[] Memory(uint address, int size)
        {
            var data = new byte[size];
            if(!chip.TryReadMemory(address, data))
            {
                return Encoding.UTF8.GetBytes(
                    $"-no memory to read at 0x{address:x8}, {size} bytes");
            }
            return new[] { (byte)'+' }.Concat(data).ToArray();
        }

        private static byte[] Command(string text)
        {
            var monitor = ObjectCreator.Instance.GetSurrogate<UserInterface.Monitor>();
            var output = new CommandInteractionEater();
            var done = false;
            try
            {
                done = monitor.Parse(text, output) && string.IsNullOrEmpty(output.GetError());
            }
            catch(Exception error)
            {
                output.WriteError(error.Message);
            }
            var said = done ? output.GetContents() : output.GetError() + output.GetContents();
            return Encoding.UTF8.GetBytes((done ? "+" : "-") + said);
        }

        private void Answer(byte[] answer)
        {
            var message = new byte[1 + answer.Length];
            message[0] = (byte)'A';
            Array.Copy(answer, 0, message, 1, answer.Length);
            stream.Write(message);
        }

        private static ulong BigEndian(byte[] data, int at, int size)
        {
            ulong value = 0;
            for(var i = 0; i < size; i++)
            {
                value = value << 8 | data[at + i];
            }
            return value;
        }

        private const ulong Quantum = 1000000; // ns; board.resc sets it

        private bool disposed;
        private readonly Esp32Chip chip;
        private readonly LabBridge bridge;
        private readonly LabStream stream;
        private readonly IUART[] uarts;
    }
}
