#include "view/sys_views.h"

#include "base/hash.h"
#include "view/view_definition.h"

namespace tidemark::view {

void installSysViews(catalog::Catalog& catalog) {
    std::string all;
    for (const ViewDefinition& view : viewDefinitions())
        all += createInSys(view);
    const std::uint64_t fingerprint = xxh3(viewOf(all));
    // Not one transaction, since DDL commits by itself; the fingerprint comes last, so that a crash before it only
    // means that everything is done again.
    catalog.write({}, [&](mysql::SqlClient& client) {
        if (client.scalar("SELECT fingerprint FROM tidemark.view_version") == std::to_string(fingerprint)) return;
        client.query(createSchema("oceanbase"));
        for (const ViewDefinition& view : viewDefinitions())
            client.query(createInSys(view));
        client.script("DELETE FROM tidemark.view_version");
        client.query("INSERT INTO tidemark.view_version VALUES (?)", {fingerprint});
    });
}

}  // namespace tidemark::view
