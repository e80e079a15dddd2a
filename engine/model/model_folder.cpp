// SPDX-License-Identifier: Apache-2.0
#include "engine/model/model_folder.h"

#include "engine/core/error.h"
#include "engine/io/json_limits.h"

#include <optional>
#include <system_error>

namespace fkv::model {

namespace fs = std::filesystem;

namespace {

const std::string kCachePrefix = "models--";

/// The snapshot that a branch points to, if there is one.
std::optional<fs::path> snapshotOfMain(const fs::path& cache) {
    const fs::path ref = cache / "refs" / "main";
    std::error_code ignored;
    if (!fs::is_regular_file(ref, ignored)) return std::nullopt;
    std::string commit = io::readText(ref, 1024);
    commit.erase(commit.find_last_not_of(" \r\n") + 1);
    // A name, never a way out of the folder.
    if (commit.empty() || commit.find('/') != std::string::npos || commit.starts_with('.'))
        return std::nullopt;
    const fs::path snapshot = cache / "snapshots" / commit;
    if (!fs::is_directory(snapshot, ignored)) return std::nullopt;
    return snapshot;
}

std::optional<fs::path> newestSnapshot(const fs::path& cache) {
    std::optional<fs::path> newest;
    fs::file_time_type when;
    for (const fs::directory_entry& entry : fs::directory_iterator(cache / "snapshots")) {
        std::error_code ignored;
        const auto written = entry.last_write_time(ignored);
        if (!entry.is_directory(ignored) || (newest && written <= when)) continue;
        newest = entry.path();
        when = written;
    }
    return newest;
}

} // namespace

fs::path modelFolder(const fs::path& path) {
    std::error_code ignored;
    if (fs::exists(path / "config.json", ignored) || !fs::is_directory(path / "snapshots", ignored))
        return path;
    const std::optional<fs::path> main = snapshotOfMain(path);
    const std::optional<fs::path> found = main ? main : newestSnapshot(path);
    if (!found)
        throw Error(ErrorCode::NotFound, "no snapshot in the cache folder " + path.string(),
                    "The download has not ended, or was removed.");
    return *found;
}

std::string modelName(const fs::path& folder) {
    std::error_code ignored;
    const fs::path canonical = fs::weakly_canonical(folder, ignored);
    const fs::path& whole = ignored ? folder : canonical;
    const std::string cache = whole.parent_path().parent_path().filename().string();
    if (whole.parent_path().filename() != "snapshots" || !cache.starts_with(kCachePrefix))
        return whole.filename().string();
    std::string name = cache.substr(kCachePrefix.size());
    const auto between = name.find("--");
    if (between != std::string::npos) name.replace(between, 2, "/");
    return name;
}

} // namespace fkv::model
