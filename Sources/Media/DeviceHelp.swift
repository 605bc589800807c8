import Glibc

/// What is known of a system for advice about its video devices.
struct SystemFacts: Equatable {
    /// Whether the module v4l2loopback is loaded.
    var isLoaded = false
    /// Whether it is installed for the running kernel.
    var isInstalled = false
    /// Whether the firmware loads signed modules only.
    var hasSecureBoot = false
    /// Whether the system has apt.
    var isDebian = true
    /// The kernel's release: `6.1.0-26-amd64`.
    var release = ""
    /// Paths of loopback devices there are.
    var loopbacks: [String] = []

    /// Those of this machine.
    static func here() -> SystemFacts {
        var name = utsname()
        uname(&name)
        let release = withUnsafeBytes(of: name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let secure = SystemText.names(in: "/sys/firmware/efi/efivars").map(\.name).first { $0.hasPrefix("SecureBoot-") }
        return SystemFacts(
            isLoaded: access("/sys/module/v4l2loopback", F_OK) == 0, isInstalled: isInstalled(release),
            hasSecureBoot: secure.map { isOn("/sys/firmware/efi/efivars/\($0)") } ?? false,
            isDebian: access("/etc/debian_version", F_OK) == 0, release: release,
            loopbacks: DeviceCatalog.devices().filter(\.isLoopback).map(\.path))
    }

    /// Where dkms and distributions put the module.
    private static func isInstalled(_ release: String) -> Bool {
        ["updates/dkms", "updates", "extra", "misc", "kernel/drivers/media/v4l2-core", "kernel/v4l2loopback"].contains {
            SystemText.names(in: "/lib/modules/\(release)/\($0)").contains { $0.name.hasPrefix("v4l2loopback.ko") }
        }
    }

    /// A variable of the firmware: four bytes of attributes and its value.
    private static func isOn(_ path: String) -> Bool {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 8)
        return read(file, &bytes, 8) == 5 && bytes[4] == 1
    }
}

/// Sentences that say what to do about a device that cannot be used.
enum DeviceHelp {
    /// Who runs the program.
    static var user: String { getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? "\(geteuid())" }

    /// The command that makes the loopback device at `path`.
    static func modprobe(_ path: String) -> String {
        "sudo modprobe v4l2loopback video_nr=\(number(of: path)) exclusive_caps=1 card_label=movied"
    }

    /// There is nothing at `path` that should be a loopback device.
    static func noLoopback(_ path: String, _ facts: SystemFacts) -> String {
        let begin = "there is no loopback device at '\(path)'; "
        if facts.isLoaded {
            let others =
                facts.loopbacks.isEmpty ? "without it" : "with \(facts.loopbacks.joined(separator: ", ")) only"
            return begin + "the module v4l2loopback is loaded \(others): use one of those, or end the programs that "
                + "use them and run: sudo modprobe -r v4l2loopback && \(modprobe(path))"
        }
        let signing =
            !facts.hasSecureBoot
            ? ""
            : " (Secure Boot is on here: if modprobe says 'Key was rejected by service', enrol the key that signed the "
                + "module with: sudo mokutil --import /var/lib/dkms/mok.pub, and restart; or turn Secure Boot off)"
        if facts.isInstalled { return begin + "make one with: \(modprobe(path))\(signing)" }
        let install =
            facts.isDebian
            ? "sudo apt install v4l2loopback-dkms linux-headers-\(facts.release) && "
            : "(install the kernel module v4l2loopback for kernel \(facts.release)) && "
        return begin + "the module v4l2loopback is not installed; make one with: \(install)\(modprobe(path))\(signing)"
    }

    /// The device works, but browsers will not see it.
    static func notExclusive(_ path: String) -> String {
        "the loopback device '\(path)' says that it is a camera and an output at once, so that Chrome and programs built on "
            + "it do not list it; run once: sudo modprobe -r v4l2loopback && \(modprobe(path))"
    }

    /// The system refused to open a device with the error `number`.
    static func refusal(_ path: String, _ number: Int32, user: String) -> String {
        switch number {
        case EACCES, EPERM:
            let group = group(of: path) ?? "video"
            return "'\(path)' may not be opened by the user \(user): \(systemReason(number)); it belongs to the group "
                + "\(group): run sudo usermod -aG \(group) \(user), then log in again"
        case EBUSY:
            return "'\(path)' is busy: another program uses it; end that one (fuser -v \(path) names it)"
        default:
            return "'\(path)' cannot be opened: \(systemReason(number))"
        }
    }

    /// The group that a device belongs to.
    private static func group(of path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_gid != 0, let entry = getgrgid(status.st_gid) else { return nil }
        return String(cString: entry.pointee.gr_name)
    }

    private static func number(of path: String) -> Int {
        Int(String(path.reversed().prefix { $0.isNumber }.reversed())) ?? 10
    }
}
