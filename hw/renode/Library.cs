// The C API of the chip (hw/esp32/include/esp32.h), bound at run time.
//
// One delegate a function, named as the function is: esp32_uart_rx is UartRx. There is no
// DllImport, so that the library may lie anywhere and an unpatched Renode can load it.
using System;
using System.IO;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

using Antmicro.Renode.Exceptions;
using Antmicro.Renode.Utilities;

namespace Antmicro.Renode.Peripherals.CPU
{
    public sealed class Esp32Library
    {
        public const int ApiVersion = 2;
        public const ulong TicksPerMicrosecond = 480;
        public const int Uarts = 3;
        public const int Gpios = 40;
        public const int FlashSize = 0x400000;
        public const int FrameMax = 1518;

        // enum esp32_stop
        public const int StopUart = 1 << 0;
        public const int StopEth = 1 << 1;
        public const int StopGpio = 1 << 2;
        public const int StopReset = 1 << 3;
        public const int StopIdle = 1 << 4;
        public const int StopRequest = 1 << 5;
        public const int StopFatal = 1 << 6;
        public const int StopBreak = 1 << 7;
        public const int StopLog = 1 << 8;
        public const int StopPower = 1 << 9;

        // enum esp32_reset_cause
        public const int ResetPoweron = 1;
        public const int ResetBrownout = 15;

        // Loads `path`, else $ESP32_LIBRARY, else the one that `make` puts beside these files.
        public Esp32Library(string path)
        {
            Path = Find(path);
            IntPtr library;
            if(!SharedLibraries.TryLoadLibrary(Path, out library))
            {
                throw new ConstructionException($"{Path} can't be loaded: run `make` to compile it");
            }
            foreach(var field in GetType().GetFields(BindingFlags.Instance | BindingFlags.Public))
            {
                if(typeof(Delegate).IsAssignableFrom(field.FieldType))
                {
                    field.SetValue(this, Bind(library, field));
                }
            }
            var version = ApiVersionOf();
            if(version != ApiVersion)
            {
                throw new ConstructionException(
                    $"{Path} has API version {version}, hw/renode was written for {ApiVersion}: "
                    + "take both from one checkout and run `make`");
            }
        }

        // `chip` is the esp32_t of all but the first and the last two.
        public readonly New_ New;
        public readonly Free_ Free;
        public readonly Error_ Error;
        public readonly Reset_ Reset;
        public readonly ResetCount_ ResetCount;
        public readonly FlashRead_ FlashRead;
        public readonly FlashWrite_ FlashWrite;
        public readonly FlashWork_ FlashWork;
        public readonly PowerCut_ PowerCut;
        public readonly Run_ Run;
        public readonly Stop_ Stop;
        public readonly Step_ Step;
        public readonly Now_ Now;
        public readonly NextEvent_ NextEvent;
        public readonly Instructions_ Instructions;
        public readonly UartRx_ UartRx;
        public readonly UartRxPending_ UartRxPending;
        public readonly UartTx_ UartTx;
        public readonly UartError_ UartError;
        public readonly UartBaud_ UartBaud;
        public readonly EthRx_ EthRx;
        public readonly EthTx_ EthTx;
        public readonly EthLink_ EthLink;
        public readonly GpioOut_ GpioOut;
        public readonly GpioEnabled_ GpioEnabled;
        public readonly GpioDrive_ GpioDrive;
        public readonly MemRead_ MemRead;
        public readonly MemWrite_ MemWrite;
        public readonly RegRead_ RegRead;
        public readonly RegWrite_ RegWrite;
        public readonly CoreStatus_ CoreStatus;
        public readonly BreakpointAdd_ BreakpointAdd;
        public readonly BreakpointRemove_ BreakpointRemove;
        public readonly LogRead_ LogRead;
        public readonly StateSize_ StateSize;
        public readonly StateSave_ StateSave;
        public readonly StateLoad_ StateLoad;
        public readonly ApiVersion_ ApiVersionOf;

        public string Path { get; }

        public string ErrorText(IntPtr chip)
        {
            return Marshal.PtrToStringAnsi(Error(chip));
        }

        private static Delegate Bind(IntPtr library, FieldInfo field)
        {
            var symbol = Symbol(field.FieldType.Name);
            try
            {
                var address = SharedLibraries.GetSymbolAddress(library, symbol);
                return Marshal.GetDelegateForFunctionPointer(address, field.FieldType);
            }
            catch(Exception)
            {
                throw new ConstructionException($"the chip library lacks {symbol}: run `make`");
            }
        }

        // UartRx_ -> esp32_uart_rx
        private static string Symbol(string name)
        {
            var text = new StringBuilder("esp32");
            foreach(var letter in name.TrimEnd('_'))
            {
                text.Append(char.IsUpper(letter) ? "_" : "").Append(char.ToLowerInvariant(letter));
            }
            return text.ToString();
        }

        private static string Find(string path, [CallerFilePath] string source = "")
        {
            if(string.IsNullOrEmpty(path))
            {
                path = Environment.GetEnvironmentVariable("ESP32_LIBRARY");
            }
            if(string.IsNullOrEmpty(path))
            {
                var here = System.IO.Path.GetDirectoryName(source);
                path = System.IO.Path.Combine(here, "..", "esp32", "libesp32.so");
            }
            if(!File.Exists(path))
            {
                throw new ConstructionException(
                    $"no chip library at {path}: run `make`, or set ESP32_LIBRARY to its path");
            }
            return System.IO.Path.GetFullPath(path);
        }

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate IntPtr New_(byte[] config);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate void Free_(IntPtr chip);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate int ApiVersion_();

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate IntPtr Error_(IntPtr chip);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate void Reset_(IntPtr chip, int cause);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate uint ResetCount_(IntPtr chip);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate int FlashRead_(IntPtr chip, uint addr, byte[] data, uint size);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate int FlashWrite_(IntPtr chip, uint addr, byte[] data, uint size);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate ulong FlashWork_(IntPtr chip);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate void PowerCut_(IntPtr chip, ulong after);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate int Run_(IntPtr chip, ulong until, int stopMask);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate void Stop_(IntPtr chip);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate int Step_(IntPtr chip, int core);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate ulong Now_(IntPtr chip);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate ulong NextEvent_(IntPtr chip);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate ulong Instructions_(IntPtr chip, int core);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate uint UartRx_(IntPtr chip, int uart, byte[] data, uint size);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate uint UartRxPending_(IntPtr chip, int uart);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate void UartError_(IntPtr chip, int uart, int lineBreak);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate uint UartTx_(IntPtr chip, int uart, byte[] data, uint size);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate uint UartBaud_(IntPtr chip, int uart);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate int EthRx_(IntPtr chip, byte[] frame, uint size);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate uint EthTx_(IntPtr chip, byte[] frame, uint size);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate void EthLink_(IntPtr chip, int up);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate ulong GpioOut_(IntPtr chip);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate ulong GpioEnabled_(IntPtr chip);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate void GpioDrive_(IntPtr chip, int gpio, int level);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate int MemRead_(IntPtr chip, uint addr, byte[] data, uint size);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate int MemWrite_(IntPtr chip, uint addr, byte[] data, uint size);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate int RegRead_(
            IntPtr chip, int core, [MarshalAs(UnmanagedType.LPStr)] string name, out uint value);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate int RegWrite_(
            IntPtr chip, int core, [MarshalAs(UnmanagedType.LPStr)] string name, uint value);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate int CoreStatus_(IntPtr chip, int core);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate int BreakpointAdd_(IntPtr chip, uint addr);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate int BreakpointRemove_(IntPtr chip, uint addr);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate uint LogRead_(IntPtr chip, byte[] line, uint size);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate UIntPtr StateSize_(IntPtr chip);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate UIntPtr StateSave_(IntPtr chip, byte[] state, UIntPtr size);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        public delegate int StateLoad_(IntPtr chip, byte[] state, UIntPtr size);
    }
}
