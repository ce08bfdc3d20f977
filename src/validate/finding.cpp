#include "validate/finding.h"

#include <fmt/format.h>

#include <algorithm>

#include "catalog/validate_store.h"

namespace tidemark::validate {
namespace {

using catalog::FindingKind;

FindingKind kindOf(ErrorCode code) {
    switch (code) {
        case ErrorCode::NotFound:
            return FindingKind::Missing;
        case ErrorCode::InvalidRequest:
            return FindingKind::NewerVersion;
        case ErrorCode::Unavailable:
        case ErrorCode::Denied:
            return FindingKind::Unreadable;
        default:
            return FindingKind::Damaged;
    }
}

/// The text of an error without the object's URI, which stands in a column of its own.
std::string about(std::string text, const std::string& object) {
    for (const std::string& name : {object + ": ", object}) {
        for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at))
            text.replace(at, name.size(), name.size() > object.size() ? "" : "it");
    }
    return text;
}

}  // namespace

void Findings::add(Finding finding) {
    if (findings_.size() < kMost) return findings_.push_back(std::move(finding));
    ++left_out_;
    // What is no damage never crowds out what is.
    const auto harmless = std::ranges::find_if(findings_.rbegin(), findings_.rend(),
                                               [](const Finding& one) { return !catalog::isDamage(one.kind); });
    if (catalog::isDamage(finding.kind) && harmless != findings_.rend()) std::swap(*harmless, finding);
    left_harm_ = std::max(left_harm_, finding.harm);
}

void Findings::add(const Error& error, const std::string& object, catalog::Harm harm) {
    add({.kind = kindOf(error.code()), .object = object, .what = about(error.what(), object), .harm = harm});
}

bool Findings::has(const std::string& object) const {
    return std::ranges::any_of(findings_, [&](const Finding& finding) { return finding.object == object; });
}

std::vector<Finding> Findings::take() {
    if (left_out_ > 0) {
        Finding& last = findings_.back();
        last.what += fmt::format("; and {} more findings, which are left out here", left_out_);
        if (catalog::isDamage(last.kind)) last.harm = std::max({last.harm, left_harm_, findings_.front().harm});
    }
    return std::move(findings_);
}

}  // namespace tidemark::validate
