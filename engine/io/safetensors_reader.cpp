// SPDX-License-Identifier: Apache-2.0
#include "engine/core/error.h"
#include "engine/io/json_limits.h"
#include "engine/io/safetensors.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <optional>

namespace fkv::io {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxHeader = 100U << 20;  // the format's own limit
constexpr std::size_t kMaxRank = 16;

[[noreturn]] void bad(const std::filesystem::path& path, const std::string& what) {
    throw Error(ErrorCode::BadFile, path.string() + ": " + what);
}

// Names come from the file and go into one-line messages.
std::string inQuotes(std::string_view name) {
    std::string out = "\"";
    for (const char c : name.substr(0, 120)) {
        const auto u = static_cast<unsigned char>(c);
        out += u < 0x20 || u == 0x7F ? '?' : c;
    }
    return out + '"';
}

std::optional<DType> parseDType(std::string_view text) {
    for (int t = 0; t <= static_cast<int>(DType::Bool); ++t)
        if (fkv::name(static_cast<DType>(t)) == text) return static_cast<DType>(t);
    return std::nullopt;
}

std::string shapeText(std::span<const std::int64_t> shape) {
    std::string out = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (i != 0) out += ", ";
        out += shape[i] < 0 ? "any" : std::to_string(shape[i]);
    }
    return out + ']';
}

/// What downloads leave in the place of a file: named for what it is.
void refuseStandIn(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    constexpr std::size_t kLooked = 64;
    std::string begin;
    for (const std::byte b : bytes.first(std::min(kLooked, bytes.size())))
        begin += static_cast<char>(std::tolower(std::to_integer<int>(b)));
    if (begin.starts_with("version https://git-lfs"))
        throw Error(ErrorCode::BadFile, path.string() + ": a Git LFS pointer, not the file itself",
                    "Fetch it with \"git lfs pull\".");
    const auto text = begin.find_first_not_of(" \t\r\n");
    if (text == std::string::npos) return;
    for (const char* tag : {"<!doctype html", "<html", "<?xml"})
        if (begin.substr(text).starts_with(tag))
            throw Error(ErrorCode::BadFile, path.string() + ": a web page, not a safetensors file",
                        "The download failed, and its error page was saved.");
}

struct Parsed {
    TensorEntry entry;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

/// Checks one header entry by itself; how the entries lie together is checked by open().
class EntryParser {
public:
    EntryParser(const std::filesystem::path& path, std::span<const std::byte> data)
        : m_path(path), m_data(data) {}

    Parsed parse(const std::string& name, const Json& json) const {
        const std::string who = "tensor " + inQuotes(name);
        if (!json.is_object() || json.size() != 3 || !json.contains("dtype") ||
            !json.contains("shape") || !json.contains("data_offsets"))
            bad(m_path, who + " must have exactly dtype, shape and data_offsets");
        Parsed p;
        p.entry.name = name;
        const Json& dtype = json["dtype"];
        if (!dtype.is_string()) bad(m_path, who + " has a dtype that is not a string");
        const auto known = parseDType(dtype.get_ref<const std::string&>());
        if (!known)
            bad(m_path,
                who + " has the unknown dtype " + inQuotes(dtype.get_ref<const std::string&>()));
        p.entry.dtype = *known;

        std::uint64_t bytes = parseShape(who, json["shape"], p.entry);
        const Json& offsets = json["data_offsets"];
        if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
            !offsets[1].is_number_unsigned())
            bad(m_path, who + " has data_offsets that are not two whole numbers");
        p.begin = offsets[0].get<std::uint64_t>();
        p.end = offsets[1].get<std::uint64_t>();
        if (p.begin > p.end) bad(m_path, who + " ends before it begins");
        if (p.end > m_data.size()) bad(m_path, who + " reaches past the end of the file");
        if (p.end - p.begin != bytes)
            bad(m_path, who + " has " + std::to_string(p.end - p.begin) +
                            " bytes where its shape needs " + std::to_string(bytes));
        p.entry.bytes = m_data.subspan(p.begin, p.end - p.begin);
        return p;
    }

private:
    std::uint64_t parseShape(const std::string& who, const Json& shape, TensorEntry& entry) const {
        if (!shape.is_array() || shape.size() > kMaxRank)
            bad(m_path, who + " has a shape that is not a list of at most " +
                            std::to_string(kMaxRank) + " extents");
        // Every partial product is held to the limit, also when a later extent is zero.
        constexpr std::uint64_t limit = std::numeric_limits<std::int64_t>::max();
        std::uint64_t bytes = sizeOf(entry.dtype);
        bool empty = false;
        for (const Json& extent : shape) {
            if (!extent.is_number_unsigned())
                bad(m_path, who + " has an extent that is not a whole number of 0 or more");
            const auto n = extent.get<std::uint64_t>();
            if (n > limit) bad(m_path, who + " has a shape that overflows");
            entry.shape.push_back(static_cast<std::int64_t>(n));
            if (n == 0) {
                empty = true;
                continue;
            }
            if (bytes > limit / n) bad(m_path, who + " has a shape that overflows");
            bytes *= n;
        }
        return empty ? 0 : bytes;
    }

    const std::filesystem::path& m_path;
    std::span<const std::byte> m_data;
};

}  // namespace

std::int64_t TensorEntry::elements() const {
    std::int64_t n = 1;
    // Zero first: the other extents of an empty tensor may be of any size.
    if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
    for (const std::int64_t extent : shape) n *= extent;
    return n;
}

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
    return open(MappedFile::open(path));
}

SafetensorsFile SafetensorsFile::open(std::shared_ptr<const MappedFile> file) {
    SafetensorsFile result;
    result.m_file = std::move(file);
    const std::filesystem::path& path = result.m_file->path();
    const std::span<const std::byte> all = result.m_file->bytes();
    refuseStandIn(path, all);
    if (all.size() < 8) bad(path, "too short for a safetensors file");
    std::uint64_t headerSize = 0;
    for (std::size_t i = 8; i-- > 0;)
        headerSize = headerSize << 8 | std::to_integer<std::uint64_t>(all[i]);
    if (headerSize > kMaxHeader)
        bad(path,
            "the header claims " + std::to_string(headerSize) + " bytes, not a safetensors file");
    if (headerSize > all.size() - 8) bad(path, "the file ends inside its header");

    const std::string_view text(reinterpret_cast<const char*>(all.data()) + 8, headerSize);
    // The format asks for the brace first; the reference reader lets JSON white space pass, and files
    // that stand on this exist.
    const auto start = text.find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos || text[start] != '{')
        bad(path, "the header is not a JSON object");
    const std::span<const std::byte> data = all.subspan(8 + headerSize);
    JsonLimits limits;
    limits.maxDepth = 4;
    const Json header = parseJson(text, path.string(), limits);

    std::vector<Parsed> parsed;
    parsed.reserve(header.size());
    const EntryParser parser(path, data);
    for (const auto& [name, value] : header.items()) {
        if (name != "__metadata__") {
            parsed.push_back(parser.parse(name, value));
            continue;
        }
        if (!value.is_object()) bad(path, "__metadata__ is not an object");
        for (const auto& [key, entry] : value.items()) {
            if (!entry.is_string()) bad(path, "metadata " + inQuotes(key) + " is not a string");
            result.m_metadata.emplace(key, entry.get<std::string>());
        }
    }

    // In file order; empty tensors before the one that starts at the same byte.
    std::sort(parsed.begin(), parsed.end(), [](const Parsed& a, const Parsed& b) {
        if (a.begin != b.begin) return a.begin < b.begin;
        if (a.end != b.end) return a.end < b.end;
        return a.entry.name < b.entry.name;
    });
    std::uint64_t at = 0;
    for (Parsed& p : parsed) {
        if (p.begin < at) bad(path, "tensor " + inQuotes(p.entry.name) + " overlaps another");
        if (p.begin > at) bad(path, "a hole before tensor " + inQuotes(p.entry.name));
        at = p.end;
        result.m_index.emplace(p.entry.name, result.m_tensors.size());
        result.m_tensors.push_back(std::move(p.entry));
    }
    if (at != data.size())
        bad(path, std::to_string(data.size() - at) + " bytes after the last tensor");
    return result;
}

const TensorEntry* SafetensorsFile::find(std::string_view name) const {
    const auto it = m_index.find(name);
    return it == m_index.end() ? nullptr : &m_tensors[it->second];
}

const TensorEntry& SafetensorsFile::require(std::string_view name, DType dtype,
                                            std::span<const std::int64_t> shape) const {
    const TensorEntry* entry = find(name);
    if (entry == nullptr) bad(m_file->path(), "no tensor " + inQuotes(name));
    if (entry->dtype != dtype)
        bad(m_file->path(), "tensor " + inQuotes(name) + " is " +
                                std::string(fkv::name(entry->dtype)) + ", expected " +
                                std::string(fkv::name(dtype)));
    const bool same =
        std::equal(shape.begin(), shape.end(), entry->shape.begin(), entry->shape.end(),
                   [](std::int64_t want, std::int64_t is) { return want == -1 || want == is; });
    if (!same)
        bad(m_file->path(), "tensor " + inQuotes(name) + " has the shape " +
                                shapeText(entry->shape) + ", expected " + shapeText(shape));
    return *entry;
}

}  // namespace fkv::io
