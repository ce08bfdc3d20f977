// mariadb-backup locks each table of MyISAM, Aria, CSV and the like for a moment while it opens its files: BACKUP LOCK
// `schema`.`table`, without doubling the backquotes that a name may have. Such a name ends the whole copy with a syntax
// error. Here, on its way to the server, the statement is put right.
#define _GNU_SOURCE  // memmem
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum {
    packet_head = 4,  // length (3), number of the packet in its statement
    com_query = 3,
    longest = 2048,  // two names of 64 characters, of 4 bytes each, are all that may be in such a statement
};

static const char lock_statement[] = "BACKUP LOCK `";
static const char between[] = "`.`";

static char* add_quoted(char* to, const char* name, const char* end) {
    for (; name < end; ++name) {
        if (*name == '`') *to++ = '`';
        *to++ = *name;
    }
    return to;
}

static char* add(char* to, const char* text, size_t size) {
    memcpy(to, text, size);
    return to + size;
}

// The size of the packet with its names quoted, written to `into` (twice as long); 0 if it is none to be changed.
static size_t quoted(const unsigned char* packet, size_t size, char* into) {
    const size_t prefix = packet_head + 1 + sizeof lock_statement - 1;
    if (size <= prefix || size > longest || packet[packet_head] != com_query || packet[3] != 0) return 0;
    if (size - packet_head != (packet[0] | (size_t)packet[1] << 8 | (size_t)packet[2] << 16)) return 0;
    if (memcmp(packet + packet_head + 1, lock_statement, sizeof lock_statement - 1) != 0) return 0;
    const char* schema = (const char*)packet + prefix;
    const char* end = (const char*)packet + size - 1;
    const char* middle = memmem(schema, (size_t)(end - schema), between, sizeof between - 1);
    if (middle == NULL || *end != '`') return 0;
    char* to = add(into, (const char*)packet, prefix);
    to = add_quoted(to, schema, middle);
    to = add(to, between, sizeof between - 1);
    to = add_quoted(to, middle + sizeof between - 1, end);
    *to++ = '`';
    const size_t written = (size_t)(to - into) - packet_head;
    into[0] = (char)(written & 0xff);
    into[1] = (char)(written >> 8);
    return written + packet_head;
}

static ssize_t plain_send(int socket, const void* bytes, size_t size, int flags) {
    return syscall(SYS_sendto, socket, bytes, size, flags, NULL, 0);
}

static ssize_t send_whole(int socket, const char* bytes, size_t size, int flags) {
    for (size_t done = 0; done < size;) {
        const ssize_t sent = plain_send(socket, bytes + done, size - done, flags);
        if (sent > 0) {
            done += (size_t)sent;
        } else if (errno == EAGAIN) {
            struct pollfd room = {.fd = socket, .events = POLLOUT};
            poll(&room, 1, -1);
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return (ssize_t)size;
}

ssize_t send(int socket, const void* bytes, size_t size, int flags) {
    char changed[2 * longest];
    const size_t changed_size = quoted(bytes, size, changed);
    if (changed_size == 0) return plain_send(socket, bytes, size, flags);
    return send_whole(socket, changed, changed_size, flags) < 0 ? -1 : (ssize_t)size;
}
