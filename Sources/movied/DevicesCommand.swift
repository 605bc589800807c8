import ArgumentParser
import Service

struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "Lists cameras with their modes, and virtual cameras.",
        discussion: "A camera is called by its path, or by its id or name, which stay when it gets another number: "
            + "movied run --source \"webcam:HD Pro Webcam C920\".")

    @Flag(help: "Write JSON.")
    var json = false

    func run() throws {
        try reporting { try DevicesService.run(json: json) }
    }
}
