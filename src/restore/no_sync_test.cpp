#include "restore/no_sync.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "testing/mariadb_server.h"

namespace tidemark::restore {
namespace {

TEST(NoSync, SyncsNothingAndSucceeds) {
    const testing::TemporaryDirectory place;
    const auto path = place.path() / "library.so";
    replaceFile(path, textOf(noSyncLibrary()), 0500);
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(library, nullptr) << ::dlerror();
    for (const char* name : {"fsync", "fdatasync"}) {
        const auto sync = reinterpret_cast<int (*)(int)>(::dlsym(library, name));
        ASSERT_NE(sync, nullptr) << name;
        EXPECT_EQ(sync(-1), 0) << name << ": the real one would refuse this";
    }
    ::dlclose(library);
}

}  // namespace
}  // namespace tidemark::restore
