/* C library calls that the ROM hands on to the firmware, by way of the table that the firmware
 * hangs in at syscall_table_ptr_pro/app (ESP-IDF: rom/libc_stubs.h). */
#include "call.h"

#define TABLE_PTR_PRO 0x3FFAE024u
#define TABLE_PTR_APP 0x3FFAE020u

enum stub {
    STUB_getreent,
    STUB_malloc_r,
    STUB_free_r,
    STUB_realloc_r,
    STUB_calloc_r,
    STUB_abort,
    STUB_system_r,
    STUB_rename_r,
    STUB_times_r,
    STUB_gettimeofday_r,
    STUB_raise_r,
    STUB_unlink_r,
    STUB_link_r,
    STUB_stat_r,
    STUB_fstat_r,
    STUB_sbrk_r,
    STUB_getpid_r,
    STUB_kill_r,
    STUB_exit_r,
    STUB_close_r,
    STUB_open_r,
    STUB_write_r,
    STUB_lseek_r,
    STUB_read_r,
    STUB_lock_init,
    STUB_lock_init_recursive,
    STUB_lock_close,
    STUB_lock_close_recursive,
    STUB_lock_acquire,
    STUB_lock_acquire_recursive,
    STUB_lock_try_acquire,
    STUB_lock_try_acquire_recursive,
    STUB_lock_release,
    STUB_lock_release_recursive,
};

static void hand_on(rom_call_t *c, enum stub stub)
{
    uint32_t table, function;
    if (!rom_load32(c, c->core ? TABLE_PTR_APP : TABLE_PTR_PRO, &table) ||
        !rom_load32(c, table + 4 * stub, &function))
        return;
    rom_jump(c, function);
}

/* The same with a struct _reent * put before the arguments; no stub of IDF looks at it. */
static void hand_on_reent(rom_call_t *c, enum stub stub)
{
    for (unsigned i = 4; i > 0; i--)
        *rom_reg(c, 2 + i) = *rom_reg(c, 1 + i);
    *rom_reg(c, 2) = 0;
    hand_on(c, stub);
}

#define REENT(name)                                                                                \
    void rom_##name(rom_call_t *c)                                                                 \
    {                                                                                              \
        hand_on_reent(c, STUB_##name##_r);                                                         \
    }
REENT(malloc)
REENT(free)
REENT(realloc)
REENT(calloc)

#define PASS(name, stub)                                                                           \
    void rom_##name(rom_call_t *c)                                                                 \
    {                                                                                              \
        hand_on(c, STUB_##stub);                                                                   \
    }
PASS(__getreent, getreent)
PASS(abort, abort)
PASS(_malloc_r, malloc_r)
PASS(_free_r, free_r)
PASS(_realloc_r, realloc_r)
PASS(_system_r, system_r)
PASS(_rename_r, rename_r)
PASS(_times_r, times_r)
PASS(_gettimeofday_r, gettimeofday_r)
PASS(_raise_r, raise_r)
PASS(_unlink_r, unlink_r)
PASS(_link_r, link_r)
PASS(_stat_r, stat_r)
PASS(_fstat_r, fstat_r)
PASS(_sbrk_r, sbrk_r)
PASS(_getpid_r, getpid_r)
PASS(_kill_r, kill_r)
PASS(_exit_r, exit_r)
PASS(_close_r, close_r)
PASS(_open_r, open_r)
PASS(_write_r, write_r)
PASS(_lseek_r, lseek_r)
PASS(_read_r, read_r)
PASS(_lock_init, lock_init)
PASS(_lock_init_recursive, lock_init_recursive)
PASS(_lock_close, lock_close)
PASS(_lock_close_recursive, lock_close_recursive)
PASS(_lock_acquire, lock_acquire)
PASS(_lock_acquire_recursive, lock_acquire_recursive)
PASS(_lock_try_acquire, lock_try_acquire)
PASS(_lock_try_acquire_recursive, lock_try_acquire_recursive)
PASS(_lock_release, lock_release)
PASS(_lock_release_recursive, lock_release_recursive)
