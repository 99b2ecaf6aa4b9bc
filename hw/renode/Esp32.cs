// A board's ESP32 in Renode: both cores, SoC, ROM and flash are the chip library's; this class
// gives it Renode's time, and brings what goes in and out to the peripherals of Parts.cs.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

using Antmicro.Migrant;
using Antmicro.Migrant.Hooks;
using Antmicro.Renode.Core;
using Antmicro.Renode.Exceptions;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.GPIOPort;
using Antmicro.Renode.Peripherals.Network;
using Antmicro.Renode.Peripherals.UART;

using ELFSharp.ELF;

namespace Antmicro.Renode.Peripherals.CPU
{
    // One Renode instruction is 1/160 us of chip time, whatever the guest has set its clock to.
    // The chip is always run to an absolute tick, so that both clocks stay exact.
    public class Esp32Chip : BaseCPU
    {
        public Esp32Chip(IMachine machine, string library = null, ulong mac = 0x240AC4000001,
            uint seed = 1) : base(0, "esp32", machine, Endianess.LittleEndian, CpuBitness.Bits32)
        {
            PerformanceInMips = Mips;
            this.library = library;
            Mac = mac;
            Seed = seed;
            uarts = new Esp32Uart[Esp32Library.Uarts];
            logLines = new List<string>();
            PowerOnChip();
        }

        public override void Dispose()
        {
            base.Dispose();
            lock(access)
            {
                api.Free(chip);
                chip = IntPtr.Zero;
            }
        }

        // Burnt into eFuse, and of the random number generator: of the next chip that LoadFlash makes.
        // MAC addresses of the interfaces follow from the first; Ethernet's is three further.
        public ulong Mac { get; set; }

        public uint Seed { get; set; }

        // --- flash and supply ---

        // A new chip with this flash. `path`: 4 MB, as `lab renode image` makes it. Without one:
        // $ESP32_FLASH, else the lab's cache.
        public void LoadFlash(string path = null)
        {
            path = FindFlash(path);
            var image = File.ReadAllBytes(path);
            if(image.Length != Esp32Library.FlashSize)
            {
                throw new RecoverableException(
                    $"{path} is no flash image: {image.Length} bytes, not 4 MB");
            }
            lock(access)
            {
                flash = image;
                api.Free(chip);
                NewChip();
                api.FlashWrite(chip, 0, image, (uint)image.Length);
                powered = true;
                ForgetInput();
                Align();
            }
            this.Log(LogLevel.Info, "flash: {0}", path);
        }

        // What stands in flash now, with all that the guest has written.
        public void SaveFlash(string path)
        {
            var image = new byte[Esp32Library.FlashSize];
            lock(access)
            {
                api.FlashRead(chip, 0, image, (uint)image.Length);
            }
            File.WriteAllBytes(path, image);
        }

        public override void Reset()
        {
            base.Reset();
            ResetBy(Esp32Library.ResetPoweron);
        }

        // `cause`: enum esp32_reset_cause.
        public void ResetBy(int cause)
        {
            lock(access)
            {
                ResetChip(cause);
            }
        }

        public void PowerOff()
        {
            lock(access)
            {
                powered = false;
            }
        }

        public void PowerOn()
        {
            ResetBy(Esp32Library.ResetPoweron);
        }

        public void PowerCycle()
        {
            ResetBy(Esp32Library.ResetPoweron);
        }

        public void BrownOut()
        {
            ResetBy(Esp32Library.ResetBrownout);
        }

        // Let the supply fail when the guest has programmed or erased so many more bytes of flash.
        public void PowerCut(ulong afterBytes)
        {
            lock(access)
            {
                api.PowerCut(chip, afterBytes);
            }
        }

        // --- Renode's time ---

        public override ExecutionResult ExecuteInstructions(ulong count, out ulong executed)
        {
            var end = told + count;
            while(told < end && !isPaused)
            {
                if(dead)
                {
                    stops |= Esp32Library.StopFatal; // whoever waits must hear of it again
                }
                if(!powered || dead)
                {
                    basis -= (long)((end - told) * TicksPerInstruction);
                    Tell(end);
                    break;
                }
                var why = RunTo(end);
                if((why & Esp32Library.StopFatal) != 0)
                {
                    dead = true; // until it is reset; ExecutionResult.Aborted would hang RunFor
                    continue;
                }
                if((why & Esp32Library.StopBreak) != 0)
                {
                    this.Log(LogLevel.Info, "breakpoint at 0x{0:X8}", ReadRegister("pc"));
                    ExecutionMode = ExecutionMode.SingleStep;
                    break;
                }
            }
            executed = 0; // all was told on the way
            return ExecutionResult.Ok;
        }

        public override ulong ExecutedInstructions
        {
            get { return told; }
        }

        public override string Architecture
        {
            get { return "xtensa"; }
        }

        // Of core 0.
        public override RegisterValue PC
        {
            get { return ReadRegister("pc"); }
            set { WriteRegister("pc", (uint)value.RawValue); }
        }

        // --- looking inside ---

        // By the ISA's name: "a1", "ps", "epc1" ... (esp32.h).
        public uint ReadRegister(string name, int core = 0)
        {
            uint value;
            lock(Interrupted())
            {
                if(api.RegRead(chip, core, name, out value) != 0)
                {
                    throw new RecoverableException($"core {core} has no register {name}");
                }
            }
            return value;
        }

        public void WriteRegister(string name, uint value, int core = 0)
        {
            lock(Interrupted())
            {
                if(api.RegWrite(chip, core, name, value) != 0)
                {
                    throw new RecoverableException($"core {core} has no register {name}");
                }
            }
        }

        public bool TryReadMemory(uint address, byte[] data)
        {
            lock(Interrupted())
            {
                return api.MemRead(chip, address, data, (uint)data.Length) == 0;
            }
        }

        public bool TryWriteMemory(uint address, byte[] data)
        {
            lock(Interrupted())
            {
                return api.MemWrite(chip, address, data, (uint)data.Length) == 0;
            }
        }

        public void AddBreakpoint(uint address)
        {
            lock(Interrupted())
            {
                if(api.BreakpointAdd(chip, address) != 0)
                {
                    throw new RecoverableException(api.ErrorText(chip));
                }
            }
        }

        public void RemoveBreakpoint(uint address)
        {
            lock(Interrupted())
            {
                if(api.BreakpointRemove(chip, address) != 0)
                {
                    throw new RecoverableException(api.ErrorText(chip));
                }
            }
        }

        // --- for the lab ---

        // The chip's tick and why it has stopped since the last look (enum esp32_stop), its next
        // event, each core's status, baud rates, pads, resets, flash work, instructions of each core.
        public string Status
        {
            get
            {
                lock(Interrupted())
                {
                    var seen = stops;
                    stops = 0;
                    return string.Join(" ", api.Now(chip), seen, api.NextEvent(chip),
                        api.CoreStatus(chip, 0), api.CoreStatus(chip, 1), api.UartBaud(chip, 0),
                        api.UartBaud(chip, 1), api.UartBaud(chip, 2), api.GpioOut(chip),
                        api.GpioEnabled(chip), api.ResetCount(chip), api.FlashWork(chip),
                        api.Instructions(chip, 0), api.Instructions(chip, 1));
                }
            }
        }

        // Has it stopped for one of `reasons` since the last look?
        public bool StoppedFor(int reasons)
        {
            lock(access)
            {
                return (stops & reasons) != 0;
            }
        }

        // Microseconds in which nothing can come out by itself.
        public ulong QuietMicroseconds
        {
            get
            {
                lock(access)
                {
                    var now = api.Now(chip);
                    var next = api.NextEvent(chip);
                    var works = api.CoreStatus(chip, 0) == 0 || api.CoreStatus(chip, 1) == 0;
                    var waits = emac != null && emac.Waits || uarts.Any(u => u != null && u.Waits);
                    return works || waits || next <= now
                        ? 0 : (next - now) / Esp32Library.TicksPerMicrosecond;
                }
            }
        }

        // The next instruction of one core, in no time of Renode's: the chip's own moves on.
        public void StepCore(int core)
        {
            lock(Interrupted())
            {
                PushInput();
                stops |= api.Step(chip, core);
                Align();
            }
        }

        // A character without its stop bit is on the wire to a UART, or a break.
        public void UartError(int uart, bool lineBreak)
        {
            lock(Interrupted())
            {
                api.UartError(chip, uart, lineBreak ? 1 : 0);
            }
        }

        // `hex`: two digits a byte.
        public void WriteMemory(uint address, string hex)
        {
            var data = new byte[hex.Length / 2];
            for(var i = 0; i < data.Length; i++)
            {
                data[i] = Convert.ToByte(hex.Substring(2 * i, 2), 16);
            }
            if(!TryWriteMemory(address, data))
            {
                throw new RecoverableException(
                    $"no RAM to write at 0x{address:x8}, {data.Length} bytes");
            }
        }

        // The model's reports since the last call, one a line.
        public string TakeLog()
        {
            lock(logLines)
            {
                var text = string.Join("\n", logLines);
                logLines.Clear();
                return text;
            }
        }

        public string ErrorText
        {
            get
            {
                lock(Interrupted())
                {
                    return api.ErrorText(chip);
                }
            }
        }

        // The chip alone, as the lab's other engine keeps it. Renode's own Save keeps all.
        public void SaveState(string path)
        {
            lock(Interrupted())
            {
                File.WriteAllBytes(path, StateBytes());
            }
        }

        public void LoadState(string path)
        {
            lock(Interrupted())
            {
                LoadStateBytes(File.ReadAllBytes(path));
                powered = true;
                ForgetInput();
            }
        }

        // --- what Parts.cs calls ---

        internal void Attach(int number, Esp32Uart uart)
        {
            if(number < 0 || number >= uarts.Length || uarts[number] != null)
            {
                throw new ConstructionException($"UART {number}: 0, 1 or 2, and one of each");
            }
            uarts[number] = uart;
        }

        internal void Attach(Esp32Emac part)
        {
            emac = part;
            SetLink(true);
        }

        internal void Attach(Esp32Gpio part)
        {
            gpio = part;
        }

        // Of the interface that has the address `more` behind the base.
        internal byte[] MacBytes(byte more)
        {
            var bytes = new byte[6];
            for(var i = 0; i < 6; i++)
            {
                bytes[i] = (byte)(Mac >> (40 - 8 * i));
            }
            bytes[5] += more;
            return bytes;
        }

        internal uint BaudRate(int uart)
        {
            lock(Interrupted())
            {
                return api.UartBaud(chip, uart);
            }
        }

        internal void SetLink(bool up)
        {
            lock(Interrupted())
            {
                api.EthLink(chip, up ? 1 : 0);
            }
        }

        internal void DrivePad(int number, int level)
        {
            lock(Interrupted())
            {
                api.GpioDrive(chip, number, level);
            }
        }

        protected override void RequestPause()
        {
            base.RequestPause();
            api.Stop(chip);
        }

        // --- run ---

        private int RunTo(ulong end)
        {
            int why;
            ulong now;
            lock(access)
            {
                PushInput();
                why = IsSingleStepMode
                    ? api.Step(chip, 0)
                    : api.Run(chip, Tick(end), Listen);
                now = api.Now(chip);
                stops |= why;
                if((why & Esp32Library.StopPower) != 0)
                {
                    powered = false;
                    basis = (long)now - (long)(told * TicksPerInstruction);
                }
            }
            // Output carries the time at which the chip sent it.
            var reached = (long)now - basis;
            Tell(Math.Min(end, (ulong)Math.Max(0, reached) / TicksPerInstruction));
            if(IsSingleStepMode)
            {
                Tell(end); // where an instruction took longer, the chip is ahead, and waits later
            }
            Drain(why);
            return why;
        }

        private ulong Tick(ulong instructions)
        {
            return (ulong)((long)(instructions * TicksPerInstruction) + basis);
        }

        private void Tell(ulong instructions)
        {
            if(instructions > told)
            {
                var progress = instructions - told;
                told = instructions;
                ReportProgress(progress);
            }
        }

        private void PushInput()
        {
            foreach(var uart in uarts)
            {
                uart?.Push(data => (int)api.UartRx(chip, uart.Number, data, (uint)data.Length));
            }
            emac?.Push(data => api.EthRx(chip, data, (uint)data.Length) == 0);
        }

        private void Drain(int why)
        {
            if((why & Esp32Library.StopUart) != 0)
            {
                foreach(var uart in uarts)
                {
                    DrainUart(uart);
                }
            }
            if((why & Esp32Library.StopEth) != 0)
            {
                DrainEthernet();
            }
            if((why & Esp32Library.StopGpio) != 0)
            {
                ulong levels;
                lock(access)
                {
                    levels = api.GpioOut(chip) & api.GpioEnabled(chip);
                }
                gpio?.Show(levels);
            }
            if((why & Esp32Library.StopFatal) != 0)
            {
                this.Log(LogLevel.Error, "the chip can't go on: {0}", ErrorText);
            }
            DrainLog();
        }

        private void DrainUart(Esp32Uart uart)
        {
            if(uart == null)
            {
                return;
            }
            uint size;
            do
            {
                lock(access)
                {
                    size = api.UartTx(chip, uart.Number, buffer, (uint)buffer.Length);
                }
                uart.Sent(buffer, (int)size);
            }
            while(size > 0);
        }

        private void DrainEthernet()
        {
            while(true)
            {
                byte[] frame;
                lock(access)
                {
                    var size = (int)api.EthTx(chip, buffer, (uint)buffer.Length);
                    if(size == 0)
                    {
                        return;
                    }
                    frame = new byte[size];
                    Array.Copy(buffer, frame, size);
                }
                emac?.Sent(frame);
            }
        }

        private void DrainLog()
        {
            while(true)
            {
                string line;
                lock(access)
                {
                    var size = (int)api.LogRead(chip, buffer, (uint)buffer.Length);
                    if(size == 0)
                    {
                        return;
                    }
                    line = Encoding.UTF8.GetString(buffer, 0, size);
                }
                this.Log(LogLevel.Info, "{0}", line);
                lock(logLines)
                {
                    logLines.Add(line);
                    if(logLines.Count > LogMost)
                    {
                        logLines.RemoveAt(0);
                    }
                }
            }
        }

        // The lock on the chip, for a thread that is not its own: a run ends early for it.
        private object Interrupted()
        {
            if(!OnPossessedThread)
            {
                api.Stop(chip);
            }
            return access;
        }

        // --- life ---

        private void PowerOnChip()
        {
            access = new object();
            buffer = new byte[65536];
            api = new Esp32Library(library);
            NewChip();
        }

        private void NewChip()
        {
            var config = new byte[12]; // esp32_config_t
            MacBytes(0).CopyTo(config, 0);
            BitConverter.GetBytes(Seed).CopyTo(config, 8);
            chip = api.New(config);
            if(chip == IntPtr.Zero)
            {
                throw new ConstructionException("no memory for a chip");
            }
            dead = false;
            api.EthLink(chip, emac != null && emac.Link ? 1 : 0);
        }

        private void ResetChip(int cause)
        {
            powered = true;
            dead = false;
            api.Reset(chip, cause);
            Align();
        }

        // What is on its way to a chip is not for the next one.
        private void ForgetInput()
        {
            foreach(var uart in uarts)
            {
                uart?.Reset();
            }
            emac?.Reset();
        }

        // From now on the chip's present tick is Renode's present time.
        private void Align()
        {
            basis = (long)api.Now(chip) - (long)(told * TicksPerInstruction);
        }

        private byte[] StateBytes()
        {
            var bytes = new byte[(int)api.StateSize(chip)];
            if(api.StateSave(chip, bytes, (UIntPtr)bytes.Length) == UIntPtr.Zero)
            {
                throw new RecoverableException(api.ErrorText(chip));
            }
            return bytes;
        }

        private void LoadStateBytes(byte[] bytes)
        {
            if(api.StateLoad(chip, bytes, (UIntPtr)bytes.Length) != 0)
            {
                throw new RecoverableException($"the chip refuses the state: {api.ErrorText(chip)}");
            }
            dead = false;
            Align();
        }

        [PreSerialization]
        private void BeforeSave()
        {
            state = StateBytes();
        }

        [PostSerialization]
        private void AfterSave()
        {
            state = null;
        }

        [PostDeserialization]
        private void AfterLoad()
        {
            PowerOnChip();
            if(flash != null)
            {
                api.FlashWrite(chip, 0, flash, (uint)flash.Length);
            }
            var aligned = basis;
            LoadStateBytes(state);
            basis = aligned;
            state = null;
        }

        private static string FindFlash(string path)
        {
            if(string.IsNullOrEmpty(path))
            {
                path = Environment.GetEnvironmentVariable("ESP32_FLASH");
            }
            if(string.IsNullOrEmpty(path))
            {
                var cache = Environment.GetEnvironmentVariable("LAB_CACHE");
                if(string.IsNullOrEmpty(cache))
                {
                    var home = Environment.GetEnvironmentVariable("HOME") ?? "";
                    var xdg = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
                    cache = Path.Combine(
                        string.IsNullOrEmpty(xdg) ? Path.Combine(home, ".cache") : xdg, "lab");
                }
                path = Path.Combine(cache, "renode", "flash.bin");
            }
            if(!File.Exists(path))
            {
                throw new RecoverableException(
                    $"no flash image at {path}: make one with `lab renode image`, or name one: "
                    + "$flash=@<path>, or ESP32_FLASH=<path>");
            }
            return path;
        }

        private const uint Mips = 160;
        private const ulong TicksPerInstruction = Esp32Library.TicksPerMicrosecond / Mips;
        private const int Listen = Esp32Library.StopUart | Esp32Library.StopEth
            | Esp32Library.StopGpio | Esp32Library.StopLog;
        private const int LogMost = 1000;

        [Transient]
        private object access; // who holds it may touch the chip
        [Transient]
        private byte[] buffer;
        [Transient]
        private Esp32Library api;
        [Transient]
        private IntPtr chip;

        private Esp32Emac emac;
        private Esp32Gpio gpio;
        private bool powered = true;
        private bool dead; // the model can't go on
        private byte[] flash; // as it was before the guest wrote to it
        private byte[] state; // while it is saved or loaded
        private ulong told; // instructions that Renode knows of
        private long basis; // the chip's tick at instruction 0
        private int stops; // reasons since the last look
        private readonly string library;
        private readonly Esp32Uart[] uarts;
        private readonly List<string> logLines;
    }
}
