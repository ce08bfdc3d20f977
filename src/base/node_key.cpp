#include "base/node_key.h"

#include "base/crypto.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hex.h"

namespace tidemark {

NodeKey::NodeKey(std::filesystem::path file) : file_(std::move(file)) {
    auto stored = readFile(file_);
    if (stored) {
        const Wiped end(*stored);
        key_ = Secret::copyOf(viewOf(*stored));
    } else {
        key_ = Secret::random(kKeySize);
        replaceFile(file_, key_.text(), 0600);
    }
    if (key_.size() == kKeySize) return;
    throw Error(ErrorCode::Corrupt, file_.string() + " is not the key that this node has made",
                "put its copy back; without one remove it: what was encrypted for backups that run is lost then");
}

std::string NodeKey::wrap(const Secret& secret, std::string_view purpose) const {
    return hexOf(sealAlone(key_.bytes(), viewOf(purpose), secret.bytes()));
}

Secret NodeKey::unwrap(std::string_view wrapped, std::string_view purpose) const {
    const auto sealed = bytesOfHex(wrapped);
    auto opened = sealed ? openAlone(key_.bytes(), viewOf(purpose), *sealed) : std::nullopt;
    if (opened) return std::move(*opened);
    throw Error(ErrorCode::Corrupt, "a key in the catalog was not wrapped with the one in " + file_.string(),
                "put the node's own key file back; a backup or restore that has begun has to be started again");
}

}  // namespace tidemark
