#include "backup_set/open_order.h"

#include "base/error.h"
#include "base/hex.h"
#include "base/json.h"

namespace tidemark::backup_set {

std::string OpenOrder::text() const {
    return jsonText({{"data", data_uri},
                     {"set", set.number},
                     {"full", set.kind == SetKind::Full},
                     {"key", key ? hexOf(key->secret().bytes()) : ""},
                     {"local", local.string()},
                     {"at", at.string()},
                     {"control", control.string()}});
}

OpenOrder OpenOrder::from(std::string_view text) {
    try {
        const nlohmann::json json = parseJson(text);
        OpenOrder order{.data_uri = json.at("data").get<std::string>(),
                        .set = {json.at("set").get<std::uint32_t>(), kindOf(!json.at("full").get<bool>())},
                        .key = {},
                        .local = json.at("local").get<std::string>(),
                        .at = json.at("at").get<std::string>(),
                        .control = json.at("control").get<std::string>()};
        const auto key = bytesOfHex(json.at("key").get<std::string>());
        if (!key) throw Error(ErrorCode::Corrupt, "the key of what is to be opened is none");
        if (!key->empty()) order.key = std::make_shared<const block::ChainKey>(Secret::copyOf(*key));
        return order;
    } catch (const nlohmann::json::exception& problem) {
        throw Error(ErrorCode::Corrupt, std::string("not an order to open a set: ") + problem.what());
    }
}

}  // namespace tidemark::backup_set
