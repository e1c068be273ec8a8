//! Twilio's OpenAPI files as something requests and answers can be held against.
//!
//! The simulator's contract tests use this module too, by its path.

mod looseness;
mod schema;

use serde_json::Value;

pub(crate) use looseness::tolerated;
pub(crate) use schema::Deviation;
use schema::Schemas;

/// A request as it went over the wire, without the simulator's prefix.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// `api`, `voice`, `monitor` or `pricing`.
    pub(crate) product: String,
    pub(crate) method: String,
    /// Unescaped.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) content_type: Option<String>,
    pub(crate) form: Vec<(String, String)>,
}

/// One of the files.
pub(crate) struct Specification {
    product: &'static str,
    document: Value,
}

/// What a request asks for, as the specification has it.
pub(crate) struct Operation<'a> {
    specification: &'a Specification,
    /// Such as `/v1/Alerts/{Sid}`.
    pub(crate) template: &'a str,
    description: &'a Value,
}

/// All files.
pub(crate) fn load() -> Vec<Specification> {
    [
        ("api", include_str!("../openapi/twilio_api_v2010.json")),
        ("voice", include_str!("../openapi/twilio_voice_v1.json")),
        ("monitor", include_str!("../openapi/twilio_monitor_v1.json")),
        ("pricing", include_str!("../openapi/twilio_pricing_v2.json")),
    ]
    .map(|(product, text)| read(product, text))
    .into()
}

/// One file.
pub(crate) fn read(product: &'static str, text: &str) -> Specification {
    Specification { product, document: serde_json::from_str(text).unwrap() }
}

/// The operation that `sent` is. A fixed name goes before a parameter, as in `/Members/Front`.
pub(crate) fn find<'a>(files: &'a [Specification], sent: &Sent) -> Option<Operation<'a>> {
    let specification = files.iter().find(|file| file.product == sent.product)?;
    specification
        .operations()
        .find(|(template, method, _)| {
            *method == sent.method.to_ascii_lowercase() && path_values(template, &sent.path).is_some()
        })
        .map(|(template, _, description)| Operation { specification, template, description })
}

/// Every operation of the files, by method and template.
pub(crate) fn operations(files: &[Specification]) -> Vec<(String, Operation<'_>)> {
    let all = files.iter().flat_map(|specification| {
        specification.operations().map(move |(template, method, description)| {
            let name = format!("{} {template}", method.to_uppercase());
            (name, Operation { specification, template, description })
        })
    });
    all.collect()
}

impl Sent {
    /// Reads a request to a simulator: its path begins with the product.
    pub(crate) fn read(method: &str, path_and_query: &str, content_type: Option<&str>, body: &[u8]) -> Self {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        // Only a query knows `+` as a space.
        let path = path.replace('+', "%2B");
        let path: String =
            form_urlencoded::parse(path.as_bytes()).map(|(path, _)| path.into_owned()).collect();
        let (product, rest) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
        Self {
            product: product.to_owned(),
            method: method.to_owned(),
            path: format!("/{rest}"),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            content_type: content_type.map(str::to_owned),
            form: form_urlencoded::parse(body).into_owned().collect(),
        }
    }
}

impl Specification {
    fn operations(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        self.document["paths"].as_object().unwrap().iter().flat_map(|(template, item)| {
            ["get", "post", "delete"]
                .into_iter()
                .filter_map(move |method| Some((template.as_str(), method, item.get(method)?)))
        })
    }
}

/// The values of a template's parameters in `path`, or `None` if it is another path.
fn path_values(template: &str, path: &str) -> Option<Vec<(String, String)>> {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    if template.len() != path.len() {
        return None;
    }
    let mut values = Vec::new();
    for (pattern, text) in template.into_iter().zip(path) {
        let Some((before, rest)) = pattern.split_once('{') else {
            if pattern == text {
                continue;
            }
            return None;
        };
        let (name, after) = rest.split_once('}').unwrap();
        let value = text.strip_prefix(before)?.strip_suffix(after)?;
        values.push((name.to_owned(), value.to_owned()));
    }
    Some(values)
}

impl Operation<'_> {
    fn schemas(&self) -> Schemas<'_> {
        Schemas(&self.specification.document["components"]["schemas"])
    }

    /// What is wrong with a request.
    pub(crate) fn check_request(&self, sent: &Sent) -> Vec<Deviation> {
        let mut found = Vec::new();
        let parameters = self.parameters();
        for (name, value) in path_values(self.template, &sent.path).unwrap() {
            let schema = parameters.iter().find(|(place, known, _, _)| *place == "path" && *known == name);
            self.schemas().check_text(schema.unwrap().3, &value, &format!("path {name}"), &mut found);
        }
        for (name, value) in &sent.query {
            match parameters.iter().find(|(place, known, _, _)| *place == "query" && known == name) {
                Some((_, _, _, schema)) => {
                    self.schemas().check_text(schema, value, &format!("query {name}"), &mut found);
                }
                None => found.push(Deviation::new(&format!("query {name}"), "is not a parameter")),
            }
        }
        let missing = parameters.iter().filter(|(place, name, required, _)| {
            *place == "query" && *required && !sent.query.iter().any(|(given, _)| given == name)
        });
        found.extend(missing.map(|(_, name, _, _)| Deviation::new(&format!("query {name}"), "is missing")));
        self.check_form(sent, &mut found);
        found
    }

    fn check_form(&self, sent: &Sent, found: &mut Vec<Deviation>) {
        const FORM: &str = "application/x-www-form-urlencoded";
        let content = &self.description["requestBody"]["content"];
        if content.is_null() {
            if !sent.form.is_empty() {
                found.push(Deviation::new("form", "is not expected"));
            }
            return;
        }
        if sent.content_type.as_deref() != Some(FORM) || content[FORM].is_null() {
            found.push(Deviation::new("content type", "is not the form's"));
        }
        let schemas = self.schemas();
        let schema = schemas.resolve(&content[FORM]["schema"]);
        for (name, value) in &sent.form {
            let place = format!("form {name}");
            let Some(known) = schema["properties"].get(name) else {
                found.push(Deviation::new(&place, "is not a parameter"));
                continue;
            };
            let known = schemas.resolve(known);
            let times = sent.form.iter().filter(|(given, _)| given == name).count();
            if known["type"] == "array" {
                schemas.check_text(&known["items"], value, &place, found);
            } else {
                if times > 1 {
                    found.push(Deviation::new(&place, "is given more than once"));
                }
                schemas.check_text(known, value, &place, found);
            }
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !sent.form.iter().any(|(given, _)| given == name) {
                found.push(Deviation::new(&format!("form {name}"), "is missing"));
            }
        }
    }

    /// Place, name, whether required, schema.
    fn parameters(&self) -> Vec<(&str, &str, bool, &Value)> {
        let read = |parameter| {
            let parameter: &Value = parameter;
            (
                parameter["in"].as_str().unwrap(),
                parameter["name"].as_str().unwrap(),
                parameter["required"] == true,
                &parameter["schema"],
            )
        };
        self.description["parameters"].as_array().into_iter().flatten().map(read).collect()
    }

    /// What is wrong with an answer. A status that is not listed must be that of an error in Twilio's
    /// form; the specification describes none.
    pub(crate) fn check_answer(&self, status: u16, content_type: &str, body: &[u8]) -> Vec<Deviation> {
        let answer = &self.description["responses"][status.to_string()];
        if answer.is_null() {
            return check_error(status, content_type, body);
        }
        let Some(content) = answer["content"].as_object() else {
            let empty = body.is_empty();
            return if empty { Vec::new() } else { vec![Deviation::new("body", "is not expected")] };
        };
        let (expected, media) = content.iter().next().unwrap();
        let mut found = Vec::new();
        if !content_type.starts_with(expected.as_str()) {
            found.push(Deviation::new("content type", &format!("is {content_type}")));
        }
        match serde_json::from_slice(body) {
            Ok(value) => self.schemas().check(&media["schema"], &value, "", &mut found),
            Err(_) => found.push(Deviation::new("body", "is no JSON")),
        }
        found
    }

    /// The specification's own answers: name, status and body.
    pub(crate) fn examples(&self) -> Vec<(&str, u16, &Value)> {
        let answers = self.description["responses"].as_object().unwrap();
        let examples = answers.iter().flat_map(|(status, answer)| {
            let content = answer["content"]["application/json"]["examples"].as_object();
            content
                .into_iter()
                .flatten()
                .map(|(name, example)| (name.as_str(), status.parse().unwrap(), &example["value"]))
        });
        examples.collect()
    }

    /// The status of a success without a body, where that is what is listed.
    pub(crate) fn empty_success(&self) -> Option<u16> {
        let answers = self.description["responses"].as_object().unwrap();
        answers
            .iter()
            .find(|(_, answer)| answer["content"].is_null())
            .and_then(|(status, _)| status.parse().ok())
    }
}

/// `{code, message, more_info, status}` (Twilio's documentation of REST errors), or problem+json.
fn check_error(status: u16, content_type: &str, body: &[u8]) -> Vec<Deviation> {
    let mut found = Vec::new();
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    if !(400..600).contains(&status) {
        found.push(Deviation::new("status", &format!("{status} is not listed")));
    }
    if !content_type.contains("json") || !body.is_object() {
        found.push(Deviation::new("error", "is no JSON"));
        return found;
    }
    let problem = content_type.contains("problem+json");
    let message = if problem { &body["title"] } else { &body["message"] };
    if !message.is_string() {
        found.push(Deviation::new("error", "has no words"));
    }
    if body["status"] != status {
        found.push(Deviation::new("error status", "is not that of the answer"));
    }
    let code = body["code"].as_u64();
    if code.is_none() {
        found.push(Deviation::new("error code", "is no number"));
    } else if !problem
        && !body["more_info"].as_str().is_some_and(|link| link.ends_with(&code.unwrap().to_string()))
    {
        found.push(Deviation::new("error more_info", "does not lead to the code"));
    }
    found
}
