#pragma once

#include <string>

namespace tidemark::restore {

/// The option file (backup-my.cnf) that mariadb-backup --prepare obeys, made of the one that a set holds: what InnoDB
/// has to know of its files, where the value can be one, and nothing else. The set's own could also name a plugin to be
/// loaded. Throws Corrupt for a value that InnoDB has not had.
std::string prepareOptions(const std::string& of_the_set);

}  // namespace tidemark::restore
