// SPDX-License-Identifier: Apache-2.0
#include "engine/core/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/safetensors.h"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

namespace fkv::io {

namespace {

constexpr std::uint64_t kAlignment = 64;
constexpr std::size_t kMaxHeader = (100U << 20) - kAlignment;  // the format's own limit
constexpr std::size_t kChunk = 4U << 20;  // between two looks at the stop token

std::uint64_t byteCount(const std::string& name, DType dtype, std::span<const std::int64_t> shape) {
    std::uint64_t bytes = sizeOf(dtype);
    constexpr std::uint64_t limit = std::numeric_limits<std::int64_t>::max();
    for (const std::int64_t extent : shape) {
        const auto n = static_cast<std::uint64_t>(extent);
        if (extent < 0 || (n != 0 && bytes > limit / n))
            throw Error(ErrorCode::Internal, "tensor \"" + name + "\" has an impossible shape");
        bytes *= n;
    }
    return bytes;
}

}  // namespace

void SafetensorsWriter::metadata(std::string key, std::string value) {
    m_metadata.insert_or_assign(std::move(key), std::move(value));
}

void SafetensorsWriter::add(std::string name, DType dtype, std::vector<std::int64_t> shape,
                            std::function<void(const Sink&)> write) {
    const bool taken = name == "__metadata__" ||
                       std::any_of(m_items.begin(), m_items.end(),
                                   [&](const Item& item) { return item.name == name; });
    if (taken) throw Error(ErrorCode::Internal, "tensor \"" + name + "\" added twice or reserved");
    byteCount(name, dtype, shape);
    m_items.push_back({std::move(name), dtype, std::move(shape), std::move(write)});
}

void SafetensorsWriter::add(std::string name, DType dtype, std::vector<std::int64_t> shape,
                            std::span<const std::byte> bytes) {
    if (byteCount(name, dtype, shape) != bytes.size())
        throw Error(ErrorCode::Internal, "tensor \"" + name + "\" does not match its shape");
    add(std::move(name), dtype, std::move(shape),
        std::function<void(const Sink&)>([bytes](const Sink& sink) { sink(bytes); }));
}

void SafetensorsWriter::save(const std::filesystem::path& path, const std::stop_token& stop,
                             const std::function<void(double)>& progress) const {
    // The format allows no holes between tensors, so each can start 64-byte aligned only if those
    // before it have sizes that are multiples of 64. Wider alignments first keeps every tensor
    // aligned to its own element at least, as the reference implementation does.
    std::vector<const Item*> order;
    for (const Item& item : m_items) order.push_back(&item);
    std::stable_sort(order.begin(), order.end(), [](const Item* a, const Item* b) {
        return sizeOf(a->dtype) > sizeOf(b->dtype);
    });

    nlohmann::ordered_json header = nlohmann::ordered_json::object();
    if (!m_metadata.empty()) header["__metadata__"] = m_metadata;
    std::uint64_t total = 0;
    for (const Item* item : order) {
        const std::uint64_t size = byteCount(item->name, item->dtype, item->shape);
        header[item->name] = {{"dtype", std::string(fkv::name(item->dtype))},
                              {"shape", item->shape},
                              {"data_offsets", {total, total + size}}};
        total += size;
    }
    std::string text;
    try {
        text = header.dump();
    } catch (const nlohmann::json::exception&) {
        throw Error(ErrorCode::Io, "cannot write " + path.string() + ": a name is not valid UTF-8");
    }
    if (text.size() > kMaxHeader)
        throw Error(ErrorCode::Io,
                    "cannot write " + path.string() + ": names and texts exceed 100 MB");
    // Spaces after the JSON are allowed, and put the first tensor on a boundary.
    text.append((kAlignment - (8 + text.size()) % kAlignment) % kAlignment, ' ');

    AtomicFile file(path);
    std::array<std::byte, 8> length{};
    for (std::size_t i = 0; i < 8; ++i)
        length[i] = static_cast<std::byte>(static_cast<std::uint64_t>(text.size()) >> (8 * i));
    file.write(length);
    file.write(std::as_bytes(std::span(text)));

    std::uint64_t done = 0;
    for (const Item* item : order) {
        const std::uint64_t expected = byteCount(item->name, item->dtype, item->shape);
        std::uint64_t received = 0;
        item->write([&](std::span<const std::byte> bytes) {
            received += bytes.size();
            if (received > expected)
                throw Error(ErrorCode::Internal,
                            "tensor \"" + item->name + "\" got too many bytes");
            while (!bytes.empty()) {
                throwIfStopped(stop);
                const auto part = bytes.first(std::min(bytes.size(), kChunk));
                file.write(part);
                bytes = bytes.subspan(part.size());
                done += part.size();
                if (progress) progress(static_cast<double>(done) / static_cast<double>(total));
            }
        });
        if (received != expected)
            throw Error(ErrorCode::Internal, "tensor \"" + item->name + "\" got too few bytes");
    }
    throwIfStopped(stop);
    file.commit();
    if (progress && total == 0) progress(1.0);
}

}  // namespace fkv::io
