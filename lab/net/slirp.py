"""Binding of libslirp (4.7, the C API of its `libslirp.h`), loaded at run time."""

from __future__ import annotations

import ctypes.util
import os
from typing import Any

from cffi import FFI

from lab import LabError

ffi: Any = FFI()
ffi.cdef(
    """
typedef struct Slirp Slirp;
struct in_addr { uint32_t s_addr; };
struct in6_addr { uint8_t s6_addr[16]; };
typedef ssize_t (*SlirpWriteCb)(const void *buf, size_t len, void *opaque);
typedef void (*SlirpTimerCb)(void *opaque);
typedef int (*SlirpAddPollCb)(int fd, int events, void *opaque);
typedef int (*SlirpGetREventsCb)(int idx, void *opaque);
typedef struct {
    SlirpWriteCb send_packet;
    void (*guest_error)(const char *msg, void *opaque);
    int64_t (*clock_get_ns)(void *opaque);
    void *(*timer_new)(SlirpTimerCb cb, void *cb_opaque, void *opaque);
    void (*timer_free)(void *timer, void *opaque);
    void (*timer_mod)(void *timer, int64_t expire_time, void *opaque);
    void (*register_poll_fd)(int fd, void *opaque);
    void (*unregister_poll_fd)(int fd, void *opaque);
    void (*notify)(void *opaque);
    void (*init_completed)(Slirp *slirp, void *opaque);
    void *(*timer_new_opaque)(int id, void *cb_opaque, void *opaque);
} SlirpCb;
typedef struct {
    uint32_t version;
    int restricted;
    bool in_enabled;
    struct in_addr vnetwork, vnetmask, vhost;
    bool in6_enabled;
    struct in6_addr vprefix_addr6;
    uint8_t vprefix_len;
    struct in6_addr vhost6;
    const char *vhostname, *tftp_server_name, *tftp_path, *bootfile;
    struct in_addr vdhcp_start, vnameserver;
    struct in6_addr vnameserver6;
    const char **vdnssearch;
    const char *vdomainname;
    size_t if_mtu, if_mru;
    bool disable_host_loopback, enable_emu;
    void *outbound_addr, *outbound_addr6;
    bool disable_dns;
    bool disable_dhcp;
} SlirpConfig;
Slirp *slirp_new(const SlirpConfig *cfg, const SlirpCb *callbacks, void *opaque);
void slirp_cleanup(Slirp *slirp);
void slirp_pollfds_fill(Slirp *slirp, uint32_t *timeout, SlirpAddPollCb add_poll, void *opaque);
void slirp_pollfds_poll(Slirp *slirp, int select_error, SlirpGetREventsCb get_revents,
                        void *opaque);
void slirp_input(Slirp *slirp, const uint8_t *pkt, int pkt_len);
int slirp_add_hostfwd(Slirp *slirp, int is_udp, struct in_addr host_addr, int host_port,
                      struct in_addr guest_addr, int guest_port);
char *slirp_connection_info(Slirp *slirp);
const char *slirp_version_string(void);
void free(void *);
"""
)

POLL_IN, POLL_OUT, POLL_PRI, POLL_ERR, POLL_HUP = 1, 2, 4, 8, 16
CONFIG_VERSION = 4

_lib: Any = None


def load() -> Any:
    """The library ($LAB_LIBSLIRP names another). Raises LabError when the machine has none."""
    global _lib
    if _lib is None:
        name = os.environ.get("LAB_LIBSLIRP") or ctypes.util.find_library("slirp")
        name = name or "libslirp.so.0"
        try:
            _lib = ffi.dlopen(name)
        except OSError:
            raise LabError(
                f"libslirp is missing (no {name}): install it (Debian: apt-get install libslirp0)"
            ) from None
    return _lib


def version() -> str:
    """Version of the library, "4.7.0". Raises LabError when it is missing."""
    return str(ffi.string(load().slirp_version_string()).decode())
