#include "base/secrets.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace tidemark {

std::string withoutSecrets(const std::string& text) {
    std::string shown = text;
    for (const std::string_view key : {"access_id=", "access_key=", "encrypt_key=", "extension="}) {
        const auto same = [](unsigned char a, unsigned char b) { return std::tolower(a) == b; };
        auto at = shown.begin();
        while ((at = std::search(at, shown.end(), key.begin(), key.end(), same)) != shown.end()) {
            const auto begin = static_cast<std::size_t>(at - shown.begin()) + key.size();
            const auto end = std::min(shown.find_first_of("&'\" \t\n", begin), shown.size());
            shown.replace(begin, end - begin, "xxx");
            at = shown.begin() + static_cast<std::ptrdiff_t>(begin);
        }
    }
    return shown;
}

}  // namespace tidemark
