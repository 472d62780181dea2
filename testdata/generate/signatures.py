#!/usr/bin/env python3
"""Makes testdata/signatures: two tiny models, keys, certificates, and bundles of PyPI's model-signing over the models.

pip install model-signing pyopenssl onnx; then python testdata/generate/signatures.py. Private keys are made anew and thrown away each time.
"""
import datetime
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from onnx import TensorProto, helper, numpy_helper

OUT = pathlib.Path(__file__).resolve().parents[1] / "signatures"
TOOL = pathlib.Path(sys.executable).parent / "model_signing"


def model(path, external):
    """Writes y = x W, with W beside the file where external is its name."""
    w = numpy_helper.from_array(np.arange(6, dtype=np.float32).reshape(2, 3), "w")
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "net",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])], [w])
    m = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    if external:
        onnx.save(m, path, save_as_external_data=True, location=external, size_threshold=0)
    else:
        onnx.save(m, path)


def public(key, path):
    path.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))


def private(key, path):
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()))
    return path


def certificate(name, key, issuer, issuer_key, ca, years, sign=True):
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    start = datetime.datetime(2020, 1, 1)
    usage = x509.KeyUsage(digital_signature=sign and not ca, content_commitment=False, key_encipherment=not sign, data_encipherment=False,
                          key_agreement=False, key_cert_sign=ca, crl_sign=ca, encipher_only=False, decipher_only=False)
    b = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer or subject).public_key(key.public_key())
         .serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(start + datetime.timedelta(days=365 * years))
         .add_extension(x509.BasicConstraints(ca=ca, path_length=None), True).add_extension(usage, True))
    if ca:
        b = b.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    return b.sign(issuer_key or key, hashes.SHA256())


def pem(c, path):
    path.write_bytes(c.public_bytes(serialization.Encoding.PEM))
    return path


def sign(*words):
    subprocess.run([TOOL, "sign", *map(str, words)], check=True, stdout=subprocess.DEVNULL)


def main():
    (OUT / "net").mkdir(parents=True, exist_ok=True)
    model(OUT / "net" / "net.onnx", "net.bin")
    model(OUT / "one.onnx", "")
    with tempfile.TemporaryDirectory() as tmp:
        tmp = pathlib.Path(tmp)
        for name, curve in (("p256", ec.SECP256R1()), ("p384", ec.SECP384R1()), ("p521", ec.SECP521R1())):
            key = ec.generate_private_key(curve)
            public(key, OUT / f"{name}.pub")
            path = private(key, tmp / name)
            sign("key", OUT / "net", "--signature", OUT / f"net-{name}.sig", "--private_key", path)
            if name == "p256":
                sign("key", OUT / "one.onnx", "--signature", OUT / "one.sig", "--private_key", path)
                # A file with external data that is signed alone: the data is not signed.
                sign("key", OUT / "net" / "net.onnx", "--signature", OUT / "half.sig", "--private_key", path)
                sign("key", OUT / "net", "--ignore-paths", OUT / "net" / "net.bin", "--signature", OUT / "part.sig", "--private_key", path)
        public(ec.generate_private_key(ec.SECP256R1()), OUT / "other.pub")
        public(rsa.generate_private_key(65537, 2048), OUT / "rsa.pub")
        root, middle, leaf = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        ca = certificate("root", root, None, None, True, 200)
        between = certificate("between", middle, ca.subject, root, True, 200)
        pem(ca, OUT / "root.crt")
        other = ec.generate_private_key(ec.SECP256R1())
        pem(certificate("root", other, None, None, True, 200), OUT / "other.crt")
        chain = pem(between, tmp / "between")
        for name, years, right in (("chain", 200, True), ("expired", 2, True), ("usage", 200, False)):
            c = certificate("signer", leaf, between.subject, middle, False, years, right)
            sign("certificate", OUT / "net", "--signature", OUT / f"{name}.sig", "--private_key", private(leaf, tmp / "leaf"),
                 "--signing_certificate", pem(c, tmp / "cert"), "--certificate_chain", chain)


if __name__ == "__main__":
    main()
