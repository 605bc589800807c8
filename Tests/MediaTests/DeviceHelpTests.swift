import Glibc
import Testing

@testable import Media

struct DeviceHelpTests {
    private let command = "sudo modprobe v4l2loopback video_nr=10 exclusive_caps=1 card_label=movied"

    private func help(_ change: (inout SystemFacts) -> Void) -> String {
        var facts = SystemFacts(release: "6.1.0-26-amd64")
        change(&facts)
        return DeviceHelp.noLoopback("/dev/video10", facts)
    }

    @Test func theModuleIsNotInstalled() {
        #expect(
            help { _ in }
                == "there is no loopback device at '/dev/video10'; the module v4l2loopback is not installed; make one "
                + "with: sudo apt install v4l2loopback-dkms linux-headers-6.1.0-26-amd64 && \(command)")
        #expect(!help { $0.isDebian = false }.contains("apt"))
    }

    @Test func theModuleIsNotLoaded() {
        let text = help { $0.isInstalled = true }
        #expect(text == "there is no loopback device at '/dev/video10'; make one with: \(command)")
    }

    @Test func secureBootIsNamed() {
        let text = help {
            $0.isInstalled = true
            $0.hasSecureBoot = true
        }
        #expect(text.contains("Secure Boot is on") && text.contains("mokutil --import"))
    }

    @Test func theModuleIsLoadedWithoutTheDevice() {
        let text = help {
            $0.isLoaded = true
            $0.loopbacks = ["/dev/video4"]
        }
        #expect(text.contains("loaded with /dev/video4 only"))
        #expect(text.contains("sudo modprobe -r v4l2loopback && \(command)"))
    }

    @Test func noPermission() {
        let text = DeviceHelp.refusal("/dev/null/x", EACCES, user: "ann")
        #expect(
            text
                == "'/dev/null/x' may not be opened by the user ann: Permission denied; it belongs to the group video: "
                + "run sudo usermod -aG video ann, then log in again")
    }

    @Test func busy() {
        #expect(DeviceHelp.refusal("/dev/video0", EBUSY, user: "ann").contains("fuser -v /dev/video0"))
    }
}
