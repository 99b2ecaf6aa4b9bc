// What the ESP32 is connected by: UARTs, Ethernet, pins, and its address space on sysbus.
using System;
using System.Collections.Generic;
using System.Linq;

using Antmicro.Migrant;
using Antmicro.Renode.Core;
using Antmicro.Renode.Core.Structure;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Network;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.CPU;

namespace Antmicro.Renode.Peripherals.UART
{
    public class Esp32Uart : IUART
    {
        public Esp32Uart(Esp32Chip chip, int number)
        {
            this.chip = chip;
            Number = number;
            typed = new Queue<byte>();
            chip.Attach(number, this);
        }

        public void Reset()
        {
            lock(typed)
            {
                typed.Clear();
            }
        }

        public void WriteChar(byte value)
        {
            lock(typed)
            {
                typed.Enqueue(value);
            }
        }

        // Give what was typed to `take`, which returns how much it took; the rest waits.
        public void Push(Func<byte[], int> take)
        {
            lock(typed)
            {
                if(typed.Count == 0)
                {
                    return;
                }
                var taken = take(typed.ToArray());
                while(taken-- > 0)
                {
                    typed.Dequeue();
                }
            }
        }

        public bool Waits
        {
            get
            {
                lock(typed)
                {
                    return typed.Count > 0;
                }
            }
        }

        public void Sent(byte[] data, int size)
        {
            for(var i = 0; i < size; i++)
            {
                CharReceived?.Invoke(data[i]);
            }
        }

        public int Number { get; }

        public uint BaudRate
        {
            get { return chip.BaudRate(Number); }
        }

        public Bits StopBits
        {
            get { return Bits.One; }
        }

        public Parity ParityBit
        {
            get { return Parity.None; }
        }

        [field: Transient]
        public event Action<byte> CharReceived;

        private readonly Esp32Chip chip;
        private readonly Queue<byte> typed;
    }
}

namespace Antmicro.Renode.Peripherals.Network
{
    public class Esp32Emac : IPeripheral, IMACInterface
    {
        public Esp32Emac(Esp32Chip chip)
        {
            this.chip = chip;
            frames = new Queue<byte[]>();
            chip.Attach(this);
        }

        public void Reset()
        {
            lock(frames)
            {
                frames.Clear();
            }
        }

        public void ReceiveFrame(EthernetFrame frame)
        {
            var bytes = new byte[frame.Length]; // without the FCS that other models add
            Array.Copy(frame.Bytes, bytes, bytes.Length);
            ReceiveRaw(bytes);
        }

        // Give the frames to `take` until it is full; one that no cable carries is dropped.
        public void Push(Func<byte[], bool> take)
        {
            lock(frames)
            {
                while(frames.Count > 0 && (take(frames.Peek()) || frames.Peek().Length > FrameMost))
                {
                    frames.Dequeue();
                }
            }
        }

        public void Sent(byte[] bytes)
        {
            if(!link)
            {
                return;
            }
            var frame = Parse(bytes);
            if(frame != null)
            {
                FrameReady?.Invoke(frame);
            }
            else
            {
                RawReady?.Invoke(bytes);
            }
        }

        // A frame of Renode's; null for those that can't pass its switch: its parser refuses the
        // bytes or would change them, as it does with many that are malformed; or they come from a
        // group, whose address the switch would learn, and send nobody else what is for the group.
        public static EthernetFrame Parse(byte[] bytes)
        {
            try
            {
                if((bytes[SourceAt] & 1) != 0)
                {
                    return null;
                }
                EthernetFrame frame;
                var copy = bytes.ToArray(); // the parser mends a length in place
                var made = EthernetFrame.TryCreateEthernetFrame(copy, false, out frame);
                return made && frame.Clone().Bytes.SequenceEqual(bytes) ? frame : null;
            }
            catch(Exception)
            {
                return null;
            }
        }

        public void ReceiveRaw(byte[] bytes)
        {
            lock(frames)
            {
                if(link && frames.Count < FramesMost)
                {
                    frames.Enqueue(bytes);
                }
            }
        }

        // Plug or pull the cable.
        public bool Link
        {
            get
            {
                return link;
            }
            set
            {
                link = value;
                chip.SetLink(value);
            }
        }

        public bool Waits
        {
            get
            {
                lock(frames)
                {
                    return frames.Count > 0;
                }
            }
        }

        // The one that the firmware takes for Ethernet, unless another was set here.
        public MACAddress MAC
        {
            get { return mac ?? MACAddress.FromBytes(chip.MacBytes(EthernetMac)); }
            set { mac = value; }
        }

        public event Action<EthernetFrame> FrameReady;

        [field: Transient]
        public event Action<byte[]> RawReady;

        private MACAddress? mac;
        private bool link = true;
        private readonly Esp32Chip chip;
        private readonly Queue<byte[]> frames;

        private const byte EthernetMac = 3; // after the base address (ESP-IDF, esp_read_mac)
        internal const int SourceAt = 6; // IEEE 802.3, 3.2.3: the source address

        private const int FramesMost = 4096;
        private const int FrameMost = Esp32Library.FrameMax;
    }
}

namespace Antmicro.Renode.Peripherals.GPIOPort
{
    // Outputs are connections 0..39 of a .repl; an input is driven with OnGPIO or Drive.
    public class Esp32Gpio : BaseGPIOPort
    {
        public Esp32Gpio(IMachine machine, Esp32Chip chip) : base(machine, Esp32Library.Gpios)
        {
            this.chip = chip;
            chip.Attach(this);
        }

        public override void OnGPIO(int number, bool value)
        {
            base.OnGPIO(number, value);
            chip.DrivePad(number, value ? 1 : 0);
        }

        // 0, 1, or -1 to leave it floating.
        public void Drive(int number, int level)
        {
            chip.DrivePad(number, level);
        }

        public void Show(ulong levels)
        {
            foreach(var connection in Connections)
            {
                connection.Value.Set((levels >> connection.Key & 1) != 0);
            }
        }

        private readonly Esp32Chip chip;
    }
}

namespace Antmicro.Renode.Peripherals.Miscellaneous
{
    // The chip's address space as core 0 sees it. Registered with an offset that is the address,
    // so that a register lies on sysbus where the TRM has it.
    public class Esp32Window : IBytePeripheral, IWordPeripheral, IDoubleWordPeripheral, IKnownSize
    {
        public Esp32Window(Esp32Chip chip)
        {
            this.chip = chip;
        }

        public void Reset()
        {
            // what lies behind is reset by the chip
        }

        public byte ReadByte(long offset)
        {
            return Read(offset, 1)[0];
        }

        public ushort ReadWord(long offset)
        {
            return BitConverter.ToUInt16(Read(offset, 2), 0);
        }

        public uint ReadDoubleWord(long offset)
        {
            return BitConverter.ToUInt32(Read(offset, 4), 0);
        }

        public void WriteByte(long offset, byte value)
        {
            Write(offset, new[] { value });
        }

        public void WriteWord(long offset, ushort value)
        {
            Write(offset, BitConverter.GetBytes(value));
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            Write(offset, BitConverter.GetBytes(value));
        }

        public long Size
        {
            get { return 0x100000000; }
        }

        private byte[] Read(long offset, int size)
        {
            var data = new byte[size];
            if(!chip.TryReadMemory((uint)offset, data))
            {
                this.Log(LogLevel.Warning, "nothing to read at 0x{0:X8}", offset);
            }
            return data;
        }

        private void Write(long offset, byte[] data)
        {
            if(!chip.TryWriteMemory((uint)offset, data))
            {
                this.Log(LogLevel.Warning, "nothing to write at 0x{0:X8}", offset);
            }
        }

        private readonly Esp32Chip chip;
    }
}
