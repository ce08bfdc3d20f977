#pragma once

#include <string>
#include <vector>

namespace tidemark::restore {

/// 'pool_list=p1,p2[&primary_zone=z][&locality=l][&concurrency=n][&method=quick]' of RESTORE … WITH, taken apart.
struct RestoreOptions {
    std::vector<std::string> pools;
    std::string primary_zone = "RANDOM";
    std::string locality;
    unsigned concurrency = 0;  ///< threads that decode; 0: one per core
    bool quick = false;        ///< method=quick: the files are fetched when the tenant is open
};

/// Keys in any case; unknown keys are ignored, as OceanBase does. Throws Ob::MissArgument without pool_list,
/// Ob::InvalidArgument for a concurrency outside of 0..100 and a method that is neither full nor quick.
RestoreOptions parseRestoreOptions(const std::string& text);

/// The parts of 'a,b,c', blanks around them trimmed, empty and repeated ones dropped.
std::vector<std::string> splitList(const std::string& text);

/// The destinations of FROM 'uri[,uri…]' in the form in which URIs are recorded (storage::plainUri), each once. Throws
/// Ob::InvalidBackupDest if there is none or one is no URI.
std::vector<std::string> destinationsOf(const std::string& from);

}  // namespace tidemark::restore
