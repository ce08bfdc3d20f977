// The library that mariadb-backup is made to load, without taking the place of this program's own send().
#define send send_of_mariadb_backup
#include "small_reads/quoted_names.c"

size_t quoted_lock_statement(const unsigned char* packet, size_t size, char* into) {
    return quoted(packet, size, into);
}
