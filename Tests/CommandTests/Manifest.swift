import Testing

/// A description of a tree that owes nothing to Holdfast: every entry with all that is to come
/// back.
///
/// Directories' sizes and link counts are the file system's own, and left out; `blocks` tells
/// whether holes are holes still.
enum Manifest {
    /// Reads the tree at `argv[1]` and prints one line an entry, sorted by name.
    static let script = """
        python3 - "$tree" <<'PYTHON'
        import hashlib, os, stat, sys
        top = os.fsencode(sys.argv[1])
        groups = {}
        lines = []
        def describe(name, directory, path):
            status = os.stat(name, dir_fd=directory, follow_symlinks=False)
            kind = stat.S_IFMT(status.st_mode)
            line = [path, oct(status.st_mode), status.st_uid, status.st_gid, status.st_mtime_ns]
            if kind == stat.S_IFLNK:
                line.append(os.readlink(name, dir_fd=directory))
            elif kind in (stat.S_IFCHR, stat.S_IFBLK):
                line.append(status.st_rdev)
            elif kind == stat.S_IFREG:
                fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=directory)
                if status.st_size < 1 << 30:
                    digest = hashlib.sha256()
                    while piece := os.read(fd, 1 << 20):
                        digest.update(piece)
                    line += [status.st_size, digest.hexdigest()]
                else:
                    line += [status.st_size]
                line.append('sparse' if status.st_blocks * 512 + 65536 < status.st_size else 'full')
                line += [(key, os.getxattr(fd, key)) for key in sorted(os.listxattr(fd))]
                os.close(fd)
            if kind != stat.S_IFDIR and status.st_nlink > 1:
                line.append(('names', groups.setdefault(status.st_ino, path)))
            lines.append(repr(line))
            return kind == stat.S_IFDIR
        def walk(directory, path):
            line = [(key, os.getxattr(directory, key)) for key in sorted(os.listxattr(directory))]
            lines.append(repr([path, line]))
            for name in sorted(os.listdir(directory)):
                name = os.fsencode(name)
                inner = path + b'/' + name
                if describe(name, directory, inner):
                    opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=directory)
                    walk(opened, inner)
                    os.close(opened)
        sys.setrecursionlimit(10000)
        walk(os.open(top, os.O_RDONLY), b'')
        print('\\n'.join(lines))
        PYTHON
        """
}

extension HoldfastFixture {
    /// The manifest of a tree.
    func manifest(of tree: String) throws -> [String] {
        try lines("tree='\(tree)'; " + Manifest.script)
    }

    /// Expects `source` and `target` to have the same manifest.
    func expectSame(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let differences = try Set(manifest(of: source)).symmetricDifference(manifest(of: target))
        #expect(
            differences.isEmpty, "\(differences.sorted().joined(separator: "\n"))",
            sourceLocation: sourceLocation)
    }
}
