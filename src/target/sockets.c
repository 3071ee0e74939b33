// SPDX-License-Identifier: MIT
// target/sockets.c -- protocol, state and addresses of sockets by their inode: from the tables in
// /proc/PID/net, which are those of the process's own network namespace, and from sock_diag, which alone
// knows the peers of UNIX sockets but only tells of our namespace.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "target/fds_impl.h"

enum {
    MAX_TABLE_LINES = 1 << 24,
    MAX_DIAG_READS = 1 << 20,
    DIAG_BYTES = 16384,
    DIAG_SECONDS = 2,  // the kernel answers at once or never
    ADDRESS_BYTES = 80,
    STATE_LISTEN = 10,  // of the kernel, for all protocols
};

void rch_sockets_init(struct rch_sockets *sockets, struct rch_arena *arena,
                      const struct rch_alloc *alloc)
{
    sockets->arena = arena;
    rch_inode_map_init(&sockets->map, alloc);
    rch_vec_init(&sockets->items, alloc, sizeof(struct rch_socket));
}

void rch_sockets_deinit(struct rch_sockets *sockets)
{
    rch_inode_map_deinit(&sockets->map);
    rch_vec_deinit(&sockets->items);
}

enum rch_status rch_sockets_want(struct rch_sockets *sockets, uint64_t inode, struct rch_error *err)
{
    struct rch_socket socket = {.inode = inode};
    uint32_t number;
    RCH_TRY(rch_inode_map_add(&sockets->map, inode, (uint32_t)sockets->items.num, &number, err));
    return number == sockets->items.num ? rch_vec_append(&sockets->items, &socket, 1, err) : RCH_OK;
}

static struct rch_socket *wanted(const struct rch_sockets *sockets, uint64_t inode)
{
    uint32_t number = rch_inode_map_find(&sockets->map, inode);
    return number == UINT32_MAX ? NULL : &RCH_VEC_AT(&sockets->items, struct rch_socket, number);
}

static enum rch_status keep(struct rch_sockets *sockets, const char *text, const char **out,
                            struct rch_error *err)
{
    *out = *text ? rch_arena_copy(sockets->arena, text, strlen(text)) : "";
    return *out ? RCH_OK : rch_fail(err, RCH_ENOMEM, "the address of a socket");
}

// ---- /proc/PID/net/{tcp,udp,...} ------------------------------------------------------------------

static const struct table {
    const char *name, *protocol;
    bool is_tcp;
} tables[] = {
    {"tcp", "TCP", true},     {"tcp6", "TCP", true},         {"udp", "UDP", false},
    {"udp6", "UDP", false},   {"udplite", "UDPLITE", false}, {"udplite6", "UDPLITE", false},
    {"raw", "RAW", false},    {"raw6", "RAW", false},        {"icmp", "ICMP", false},
    {"icmp6", "ICMP", false},
};
enum { NUM_TABLES = sizeof(tables) / sizeof(tables[0]) };

static const char *tcp_state(unsigned long state)
{
    static const char *const names[] = {
        "",      "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",   "TIME_WAIT",
        "CLOSE", "CLOSE_WAIT",  "LAST_ACK", "LISTEN",   "CLOSING",   "NEW_SYN_RECV"};
    return state < sizeof(names) / sizeof(names[0]) ? names[state] : "";
}

static const char *datagram_state(unsigned long state)
{
    return state == 1 ? "CONNECTED" : "UNCONNECTED";
}

/// "0100007F:1628" -> "127.0.0.1:5672": words of the address as this machine has them in memory. An address
/// and port of zeros is "" if `is_peer`: there is none. False: it is no address.
static bool format_address(const char *hex, bool is_peer, char out[ADDRESS_BYTES])
{
    uint32_t words[4] = {0};
    size_t num_digits = strspn(hex, "0123456789abcdefABCDEF"), num = num_digits / 8;
    if ((num_digits != 8 && num_digits != 32) || hex[num_digits] != ':')
        return false;
    bool is_zero = true;
    for (size_t i = 0; i < num; i++) {
        char digits[9] = "";
        memcpy(digits, hex + i * 8, 8);
        words[i] = (uint32_t)strtoul(digits, NULL, 16);
        is_zero = is_zero && words[i] == 0;
    }
    unsigned long port = strtoul(hex + num_digits + 1, NULL, 16);
    char text[INET6_ADDRSTRLEN] = "";
    out[0] = '\0';
    if (is_peer && is_zero && port == 0)
        return true;
    if (!inet_ntop(num == 4 ? AF_INET6 : AF_INET, words, text, sizeof(text)))
        return false;
    snprintf(out, ADDRESS_BYTES, num == 4 ? "[%s]:%lu" : "%s:%lu", text, port & 0xffff);
    return true;
}

static enum rch_status take_inet_line(struct rch_sockets *sockets, const struct table *table,
                                      char *line, struct rch_error *err)
{
    char *words[10];  // number, local, remote, state, queues, timer, retries, user, timeout, inode
    for (int i = 0; i < 10; i++)
        if (!(words[i] = rch_next_word(&line)))
            return RCH_OK;
    struct rch_socket *socket = wanted(sockets, strtoull(words[9], NULL, 10));
    char local[ADDRESS_BYTES], peer[ADDRESS_BYTES];
    if (!socket || !format_address(words[1], false, local) || !format_address(words[2], true, peer))
        return RCH_OK;
    unsigned long state = strtoul(words[3], NULL, 16);
    socket->protocol = table->protocol;
    socket->state = table->is_tcp ? tcp_state(state) : datagram_state(state);
    RCH_TRY(keep(sockets, local, &socket->local, err));
    return keep(sockets, peer, &socket->peer, err);
}

// ---- UNIX sockets -----------------------------------------------------------------------------------

static const char *unix_protocol(unsigned long type)
{
    return type == SOCK_STREAM      ? "UNIX stream"
           : type == SOCK_DGRAM     ? "UNIX datagram"
           : type == SOCK_SEQPACKET ? "UNIX seqpacket"
                                    : "UNIX";
}

// Number RefCount Protocol Flags Type State Inode Path. States are those of struct socket here.
static enum rch_status take_unix_line(struct rch_sockets *sockets, char *line,
                                      struct rch_error *err)
{
    enum { FLAG_LISTENS = 1 << 16 };
    static const char *const states[] = {"", "UNCONNECTED", "CONNECTING", "CONNECTED",
                                         "DISCONNECTING"};
    char *words[7];
    for (int i = 0; i < 7; i++)
        if (!(words[i] = rch_next_word(&line)))
            return RCH_OK;
    struct rch_socket *socket = wanted(sockets, strtoull(words[6], NULL, 10));
    if (!socket || socket->protocol)  // a path with a newline in it could pretend to be a line
        return RCH_OK;
    unsigned long state = strtoul(words[5], NULL, 16);
    socket->protocol = unix_protocol(strtoul(words[4], NULL, 16));
    socket->state = strtoul(words[3], NULL, 16) & FLAG_LISTENS   ? "LISTEN"
                    : state < sizeof(states) / sizeof(states[0]) ? states[state]
                                                                 : "";
    return keep(sockets, line, &socket->local, err);
}

enum rch_status rch_sockets_take_line(struct rch_sockets *sockets, const char *name, char *line,
                                      struct rch_error *err)
{
    for (int i = 0; i < NUM_TABLES; i++)
        if (strcmp(tables[i].name, name) == 0)
            return take_inet_line(sockets, &tables[i], line, err);
    return strcmp(name, "unix") == 0 ? take_unix_line(sockets, line, err) : RCH_OK;
}

/// False in *is_read_out: the table is not there, or not for us.
static enum rch_status read_table(struct rch_sockets *sockets, int dir_fd, const char *name,
                                  bool *is_read_out, struct rch_error *err)
{
    struct rch_lines lines;
    char path[48], *line;
    snprintf(path, sizeof(path), "net/%s", name);
    int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
    *is_read_out = fd >= 0;
    if (fd < 0)
        return RCH_OK;
    rch_lines_init(&lines, fd);
    enum rch_status st = RCH_OK;
    for (int i = 0; i < MAX_TABLE_LINES && st == RCH_OK && (line = rch_lines_next(&lines)); i++)
        st = rch_sockets_take_line(sockets, name, line, err);
    close(fd);
    return st;
}

// ---- sock_diag --------------------------------------------------------------------------------------

/// sun_path as text: an abstract name begins with "@", which also stands for its further NULs.
static enum rch_status keep_unix_name(struct rch_sockets *sockets, const char *bytes, size_t num,
                                      const char **out, struct rch_error *err)
{
    char name[256];
    bool is_abstract = num > 0 && bytes[0] == '\0';
    if (num >= sizeof(name))
        num = sizeof(name) - 1;
    for (size_t i = 0; i < num; i++)
        name[i] = bytes[i] == '\0' && is_abstract ? '@' : bytes[i];
    name[num] = '\0';
    return keep(sockets, name, out, err);
}

static enum rch_status take_diag(struct rch_sockets *sockets, const struct nlmsghdr *head,
                                 struct rch_error *err)
{
    const struct unix_diag_msg *msg = NLMSG_DATA(head);
    if (head->nlmsg_len < NLMSG_LENGTH(sizeof(*msg)))
        return RCH_OK;
    struct rch_socket *socket = wanted(sockets, msg->udiag_ino);
    if (!socket)
        return RCH_OK;
    socket->protocol = unix_protocol(msg->udiag_type);
    socket->state = msg->udiag_state == STATE_LISTEN ? "LISTEN"
                    : msg->udiag_state == 1          ? "CONNECTED"
                                                     : "UNCONNECTED";
    size_t left = head->nlmsg_len - NLMSG_LENGTH(sizeof(*msg));
    const char *at = (const char *)msg + NLMSG_ALIGN(sizeof(*msg));
    while (left >= sizeof(struct nlattr)) {
        const struct nlattr *attr = (const struct nlattr *)(const void *)at;
        size_t num_bytes = attr->nla_len, room = NLA_ALIGN(num_bytes);
        if (num_bytes < NLA_HDRLEN || num_bytes > left)
            break;
        if (attr->nla_type == UNIX_DIAG_NAME)
            RCH_TRY(keep_unix_name(sockets, at + NLA_HDRLEN, num_bytes - NLA_HDRLEN, &socket->local,
                                   err));
        uint32_t peer;
        if (attr->nla_type == UNIX_DIAG_PEER && num_bytes >= NLA_HDRLEN + sizeof(peer)) {
            memcpy(&peer, at + NLA_HDRLEN, sizeof(peer));
            socket->peer_inode = peer;
        }
        if (room >= left)
            break;
        at += room;
        left -= room;
    }
    return RCH_OK;
}

static bool ask_diag(int fd)
{
    struct {
        struct nlmsghdr head;
        struct unix_diag_req req;
    } ask = {.head = {.nlmsg_len = sizeof(ask),
                      .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
             .req = {.sdiag_family = AF_UNIX,
                     .udiag_states = UINT32_MAX,
                     .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER}};
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    struct timeval patience = {.tv_sec = DIAG_SECONDS};
    return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
           sendto(fd, &ask, sizeof(ask), 0, (struct sockaddr *)&kernel, sizeof(kernel)) ==
               (ssize_t)sizeof(ask);
}

/// One dump of all UNIX sockets of our namespace. *is_read_out false: sock_diag does not answer.
static enum rch_status read_diag(struct rch_sockets *sockets, bool *is_read_out,
                                 struct rch_error *err)
{
    _Alignas(struct nlmsghdr) char buf[DIAG_BYTES];
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    enum rch_status st = RCH_OK;
    bool is_done = fd < 0 || !ask_diag(fd);
    *is_read_out = false;
    for (int i = 0; i < MAX_DIAG_READS && !is_done && st == RCH_OK; i++) {
        ssize_t num = recv(fd, buf, sizeof(buf), 0);
        if (num <= 0)
            break;
        unsigned left = (unsigned)num;
        for (struct nlmsghdr *head = (struct nlmsghdr *)(void *)buf;
             NLMSG_OK(head, left) && !is_done && st == RCH_OK; head = NLMSG_NEXT(head, left)) {
            is_done = head->nlmsg_type == NLMSG_DONE || head->nlmsg_type == NLMSG_ERROR;
            *is_read_out = *is_read_out || head->nlmsg_type == NLMSG_DONE;
            if (!is_done)
                st = take_diag(sockets, head, err);
        }
    }
    if (fd >= 0)
        close(fd);
    return st;
}

/// Who is at the other end, by name: peers are sockets of whatever process, so a second dump names them.
static enum rch_status read_diag_twice(struct rch_sockets *sockets, bool *is_read_out,
                                       struct rch_error *err)
{
    RCH_TRY(read_diag(sockets, is_read_out, err));
    size_t num = sockets->items.num;
    for (size_t i = 0; i < num && *is_read_out; i++) {
        uint64_t peer = RCH_VEC_AT(&sockets->items, struct rch_socket, i).peer_inode;
        if (peer)
            RCH_TRY(rch_sockets_want(sockets, peer, err));
    }
    return sockets->items.num > num ? read_diag(sockets, is_read_out, err) : RCH_OK;
}

static bool is_in_our_namespace(const struct rch_fd_scan *scan)
{
    struct stat ours, its;
    return scan->pid == 0 || (stat("/proc/self/ns/net", &ours) == 0 &&
                              fstatat(scan->dir_fd, "ns/net", &its, 0) == 0 &&
                              ours.st_ino == its.st_ino && ours.st_dev == its.st_dev);
}

// ---- all sockets of a process -----------------------------------------------------------------------

/// *has_inet_out: a TCP socket that is in no table has no address and is not listening.
static enum rch_status read_all(struct rch_fd_scan *scan, struct rch_sockets *sockets,
                                bool *has_inet_out, struct rch_error *err)
{
    bool is_read = false;
    *has_inet_out = true;
    for (int i = 0; i < NUM_TABLES; i++) {
        RCH_TRY(read_table(sockets, scan->dir_fd, tables[i].name, &is_read, err));
        *has_inet_out = *has_inet_out && (is_read || !tables[i].is_tcp);
    }
    is_read = false;
    if (is_in_our_namespace(scan))
        RCH_TRY(read_diag_twice(sockets, &is_read, err));
    return is_read ? RCH_OK : read_table(sockets, scan->dir_fd, "unix", &is_read, err);
}

/// A socket that no table has: the kernel tells its protocol by an attribute of the descriptor.
static enum rch_status tell_by_attribute(struct rch_fd_scan *scan, bool has_inet,
                                         struct rch_sockets *sockets, struct rch_os_fd *row,
                                         struct rch_error *err)
{
    char path[64], name[64] = "";
    snprintf(path, sizeof(path), "%s/fd/%d", scan->dir, row->fd);
    ssize_t num = getxattr(path, "system.sockprotoname", name, sizeof(name) - 1);
    if (num <= 0) {
        scan->fds->num_unreadable++;
        return RCH_OK;
    }
    size_t len = strlen(name);
    if (len > 2 && strcmp(name + len - 2, "v6") == 0)
        name[len - 2] = '\0';  // "TCPv6"
    bool is_tcp = strcmp(name, "TCP") == 0, is_udp = strcmp(name, "UDP") == 0;
    if (has_inet && (is_tcp || is_udp))
        row->state = is_tcp ? "CLOSE" : "UNCONNECTED";
    return keep(sockets, strncmp(name, "UNIX", 4) == 0 ? "UNIX" : name, &row->protocol, err);
}

static void tell(struct rch_fd_draft *draft, const struct rch_sockets *sockets,
                 const struct rch_socket *socket)
{
    const struct rch_socket *peer = wanted(sockets, socket->peer_inode);
    draft->row.protocol = socket->protocol;
    draft->row.state = socket->state ? socket->state : "";
    draft->row.local = socket->local ? socket->local : "";
    draft->row.peer = socket->peer ? socket->peer : peer && peer->local ? peer->local : "";
    draft->can_read = draft->can_write = true;
    if (!*draft->row.peer)
        draft->ends = socket->peer_inode;
}

static enum rch_status tell_all(struct rch_fd_scan *scan, struct rch_sockets *sockets,
                                struct rch_error *err)
{
    bool has_inet;
    for (size_t i = 0; i < scan->drafts.num; i++)
        if (RCH_FD_DRAFT(&scan->drafts, i)->row.kind == RCH_FD_SOCKET)
            RCH_TRY(rch_sockets_want(sockets, RCH_FD_DRAFT(&scan->drafts, i)->inode, err));
    if (!sockets->items.num)
        return RCH_OK;
    RCH_TRY(read_all(scan, sockets, &has_inet, err));
    for (size_t i = 0; i < scan->drafts.num; i++) {
        struct rch_fd_draft *draft = RCH_FD_DRAFT(&scan->drafts, i);
        if (draft->row.kind != RCH_FD_SOCKET)
            continue;
        const struct rch_socket *socket = wanted(sockets, draft->inode);
        if (socket && socket->protocol)
            tell(draft, sockets, socket);
        else
            RCH_TRY(tell_by_attribute(scan, has_inet, sockets, &draft->row, err));
    }
    return RCH_OK;
}

enum rch_status rch_tell_sockets(struct rch_fd_scan *scan, struct rch_error *err)
{
    struct rch_sockets sockets;
    rch_sockets_init(&sockets, &scan->fds->arena, scan->alloc);
    enum rch_status st = tell_all(scan, &sockets, err);
    rch_sockets_deinit(&sockets);
    return st;
}
