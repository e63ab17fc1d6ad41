//! What `embedded-tls` asks while it shakes hands: is the server the one it should be, and who is the
//! device?
//!
//! Whoever is verified must not decide which checks take place. So what was proved is a state here, which
//! only both messages in their order lead to, each once; and nothing of the device's own is given out
//! before it is [`Stage::Proved`].

use super::{Identity, Random, Trouble};
use crate::certificate::{self, CHAIN_MAX, Host, PublicKey, Refusal};
use crate::verify::algorithms::SignatureAlgorithm;
use crate::verify::{EcdsaP256, Hash};
use embedded_tls::{
    Aes128GcmSha256, Certificate, CertificateEntryRef, CertificateRef, CertificateVerifyRef,
    CryptoProvider, CryptoRng, CryptoRngCore, Sha256, SignatureScheme, TlsError, TlsVerifier,
};
use p256_of_tls::ecdsa::signature::SignerMut;
use p256_of_tls::ecdsa::{DerSignature, SigningKey};
use p256_of_tls::elliptic_curve::rand_core::{self, RngCore};
use sha2_of_tls::Digest;

/// What the server signs in front of the hash (RFC 8446, 4.4.3).
const CONTEXT: [&[u8]; 2] = [&[0x20; 64], b"TLS 1.3, server CertificateVerify\0"];

/// How far the server has come with its proof.
enum Stage {
    Nothing,
    /// Its chain holds; this is its key, and the hash that it must sign.
    Chain(PublicKey, [u8; 32]),
    Proved,
    Failed(Trouble),
}

/// The server's proof.
pub(super) struct Proof<'i> {
    identity: &'i Identity<'i>,
    stage: Stage,
}

impl Proof<'_> {
    /// Whether the server is who it should be.
    pub(super) fn holds(&self) -> Result<(), Trouble> {
        match self.stage {
            Stage::Proved => Ok(()),
            Stage::Failed(why) => Err(why),
            Stage::Nothing | Stage::Chain(..) => Err(Trouble::Unproved),
        }
    }

    /// What the verifier that failed found; `None` where it did not.
    pub(super) fn failed(&self) -> Option<Trouble> {
        match self.stage {
            Stage::Failed(why) => Some(why),
            _ => None,
        }
    }

    fn chain(&self, shown: &CertificateRef<'_>) -> Result<PublicKey, Refusal> {
        let mut chain: heapless::Vec<&[u8], CHAIN_MAX> = heapless::Vec::new();
        for entry in &shown.entries {
            let CertificateEntryRef::X509(der) = entry else { return Err(Refusal::Malformed) };
            chain.push(der).map_err(|_| Refusal::TooMany)?;
        }
        let Identity { root, host, earliest, .. } = *self.identity;
        certificate::verify(&chain, root, &Host::from(host), earliest)
    }

    fn enter(&mut self, stage: Stage) -> Result<(), TlsError> {
        self.stage = stage;
        match self.stage {
            Stage::Failed(_) => Err(TlsError::InvalidCertificate),
            _ => Ok(()),
        }
    }
}

impl TlsVerifier<Aes128GcmSha256> for Proof<'_> {
    /// It is in the identity.
    fn set_hostname_verification(&mut self, _: &str) -> Result<(), TlsError> {
        Ok(())
    }

    fn verify_certificate(
        &mut self,
        transcript: &Sha256,
        shown: CertificateRef<'_>,
    ) -> Result<(), TlsError> {
        let stage = match (&self.stage, self.chain(&shown)) {
            (Stage::Nothing, Ok(key)) => Stage::Chain(key, transcript.clone().finalize().into()),
            (Stage::Nothing, Err(refusal)) => Stage::Failed(Trouble::Certificate(refusal)),
            // One chain, once.
            _ => Stage::Failed(Trouble::Protocol),
        };
        self.enter(stage)
    }

    fn verify_signature(&mut self, verify: CertificateVerifyRef<'_>) -> Result<(), TlsError> {
        let right = match &self.stage {
            Stage::Chain(key, transcript) => {
                let mut hash = Hash::new();
                CONTEXT.iter().for_each(|part| hash.update(part));
                hash.update(transcript);
                verify.signature_scheme == SignatureScheme::EcdsaSecp256r1Sha256
                    && EcdsaP256::holds(key, &hash.so_far(), verify.signature)
            }
            _ => false,
        };
        self.enter(if right { Stage::Proved } else { Stage::Failed(Trouble::Unproved) })
    }
}

/// All that is asked for.
pub(super) struct Provider<'i, R> {
    pub(super) proof: Proof<'i>,
    random: OfTls<'i, R>,
    key: SigningKey,
}

impl<'i, R: Random> Provider<'i, R> {
    pub(super) fn new(identity: &'i Identity<'i>, random: &'i mut R) -> Result<Self, Trouble> {
        let key = SigningKey::from_slice(identity.key).map_err(|_| Trouble::Key)?;
        let proof = Proof { identity, stage: Stage::Nothing };
        Ok(Provider { proof, random: OfTls(random), key })
    }
}

impl<R: Random> CryptoProvider for Provider<'_, R> {
    type CipherSuite = Aes128GcmSha256;
    type Signature = DerSignature;

    fn rng(&mut self) -> impl CryptoRngCore {
        &mut self.random
    }

    fn verifier(&mut self) -> Result<&mut impl TlsVerifier<Aes128GcmSha256>, TlsError> {
        Ok(&mut self.proof)
    }

    fn signer(&mut self) -> Result<(impl SignerMut<DerSignature>, SignatureScheme), TlsError> {
        self.proof.holds().map_err(|_| TlsError::InvalidCertificate)?;
        Ok((self.key.clone(), SignatureScheme::EcdsaSecp256r1Sha256))
    }

    fn client_cert(&mut self) -> Option<Certificate<impl AsRef<[u8]>>> {
        self.proof.holds().ok().map(|()| Certificate::X509(self.proof.identity.certificate))
    }
}

/// A generator, as `embedded-tls` takes it.
struct OfTls<'r, R>(&'r mut R);

impl<R: Random> RngCore for OfTls<'_, R> {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }
    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }
    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl<R: Random> CryptoRng for OfTls<'_, R> {}
