"""Apache Kafka itself: one node on loopback, in a temporary folder. Maven fetches it, once for a machine."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.components import KAFKA_POM, StartError, _Child, free_port, kafka_jars
from tests.fetching import fetch_once

FETCH_DEADLINE_S = 600
# It starts sooner so, which is most of what it does here.
JAVA = ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp"]

USERNAME, PASSWORD = "foyer", "correct-horse-battery"

_PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{plain},SECURE://127.0.0.1:{secure},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{plain},SECURE://127.0.0.1:{secure}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.secure.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={folder}/node.pem
log.dirs={folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
auto.create.topics.enable=false
# Nobody else is about to join, and members that were killed are given up soon.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=100
"""


class KafkaNode:
    """A cluster of one. Topics are made by hand (`tests.kafka.feeding`).

    Raises:
        NotFetchedError: there is no Kafka, and Maven could not fetch it.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="foyer-kafka-"))
        self.ca_file = self._folder / "ca.pem"
        self._child: _Child | None = None
        try:
            self._jars = f"{_fetch_jars()}/*"
            _make_certificate(self.ca_file, self._folder / "node.pem")
            try:
                self._start()
            except StartError:
                self._start()  # somebody was faster to take a port
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        plain, secure, controller = free_port(), free_port(), free_port()
        properties = self._folder / "server.properties"
        properties.write_text(
            _PROPERTIES.format(plain=plain, secure=secure, controller=controller, folder=self._folder)
        )
        scram = f"SCRAM-SHA-512=[name={USERNAME},password={PASSWORD}]"
        command = [*JAVA, self._jars, "kafka.tools.StorageTool", "format", "--ignore-formatted"]
        command += ["-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c", str(properties), "--add-scram", scram]
        formatted = subprocess.run(command, capture_output=True, text=True, check=False)
        if formatted.returncode:
            raise StartError(f"Kafka's storage was not made:\n{formatted.stdout}{formatted.stderr}")
        command = [*JAVA, self._jars, "kafka.Kafka", str(properties)]
        self._child = _Child(command, ready="Kafka Server started", cwd=self._folder)
        self.address = f"127.0.0.1:{plain}"
        self.secure_address = f"127.0.0.1:{secure}"

    def close(self) -> None:
        """Stop it for good and remove its folder."""
        if self._child:
            self._child.stop(signal.SIGKILL)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def _fetch_jars() -> Path:
    """The folder with Kafka's jars.

    Raises:
        NotFetchedError: there are none, and Maven could not fetch them.
    """

    def command(folder: Path) -> list[str]:
        maven = ["mvn", "--batch-mode", "--quiet", "--file", str(KAFKA_POM)]
        return [*maven, "dependency:copy-dependencies", f"-DoutputDirectory={folder}/jars"]

    jars = kafka_jars()
    fetch_once(jars, command, makes="jars", deadline_s=FETCH_DEADLINE_S)
    return jars


def _make_certificate(ca_file: Path, node_file: Path) -> None:
    """A certificate for 127.0.0.1 that vouches for itself; the second file has its key too."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    ca_file.write_bytes(public)
    node_file.write_bytes(private + public)
