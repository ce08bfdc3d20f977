#include "cli/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/letters.h"

namespace tidemark::cli {
namespace {

bool isNumber(const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789.-") == std::string::npos && text.size() < 20;
}

}  // namespace

std::size_t width(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

void printTable(std::ostream& out, const std::string& title, const mysql::Result& result) {
    if (result.empty()) {
        out << title << ": none\n";
        return;
    }
    out << title << '\n';
    const std::size_t columns = result.columns.size();
    std::vector<std::size_t> widths;
    for (std::size_t c = 0; c < columns; ++c) {
        std::size_t widest = width(result.columns[c]);
        for (const auto& row : result.rows)
            widest = std::max(widest, width(row.values()[c].value_or("-")));
        widths.push_back(widest);
    }
    const auto cell = [&](const std::string& text, std::size_t c, bool right) {
        const std::string padding(widths[c] - width(text), ' ');
        out << "  " << (right ? padding + text : (c + 1 == columns ? text : text + padding));
    };
    for (std::size_t c = 0; c < columns; ++c)
        cell(lowerCase(result.columns[c]), c, false);
    out << '\n';
    for (const auto& row : result.rows) {
        for (std::size_t c = 0; c < columns; ++c) {
            const std::string text = row.values()[c].value_or("-");
            cell(text, c, isNumber(text));
        }
        out << '\n';
    }
}

nlohmann::json toJson(const mysql::Result& result) {
    auto rows = nlohmann::json::array();
    for (const auto& row : result.rows) {
        auto object = nlohmann::json::object();
        for (std::size_t c = 0; c < result.columns.size(); ++c) {
            const auto& value = row.values()[c];
            object[lowerCase(result.columns[c])] = value ? nlohmann::json(*value) : nlohmann::json();
        }
        rows.push_back(std::move(object));
    }
    return rows;
}

std::string humanBytes(double bytes) {
    static constexpr std::array<const char*, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    while (bytes >= 1024 && unit + 1 < kUnits.size()) {
        bytes /= 1024;
        ++unit;
    }
    return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

std::string humanDuration(double seconds) {
    const auto whole = static_cast<long>(std::max(0.0, seconds));
    if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
    return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace tidemark::cli
